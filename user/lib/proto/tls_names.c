/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls_names.c - numbers of TLS, OpenSSL and X.509 as names.
 *
 * In:  a number. Out: a constant string, NULL where it is not known. The tables are switches: a number given twice does not compile. Left
 * out: what no client of today meets (ARIA, SRP, anonymous and NULL ciphers; OpenSSL's reasons for DTLS, SRTP, DANE and configuration
 * mistakes).
 */
#include <string.h>

#include "proto/tls_hello.h"

#define NAME(number, name) \
	case number:       \
		return #name

const char *ht_tls_version_name(uint16_t version)
{
	switch (version) {
	case 0x0300:
		return "SSLv3";
	case 0x0301:
		return "TLSv1";
	case 0x0302:
		return "TLSv1.1";
	case 0x0303:
		return "TLSv1.2";
	case 0x0304:
		return "TLSv1.3";
	default:
		return NULL;
	}
}

/* https://www.iana.org/assignments/tls-parameters, "TLS Cipher Suites" */
const char *ht_tls_cipher_name(uint16_t cipher)
{
	switch (cipher) {
		NAME(0x0004, TLS_RSA_WITH_RC4_128_MD5);
		NAME(0x0005, TLS_RSA_WITH_RC4_128_SHA);
		NAME(0x000a, TLS_RSA_WITH_3DES_EDE_CBC_SHA);
		NAME(0x0016, TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA);
		NAME(0x002f, TLS_RSA_WITH_AES_128_CBC_SHA);
		NAME(0x0033, TLS_DHE_RSA_WITH_AES_128_CBC_SHA);
		NAME(0x0035, TLS_RSA_WITH_AES_256_CBC_SHA);
		NAME(0x0039, TLS_DHE_RSA_WITH_AES_256_CBC_SHA);
		NAME(0x003c, TLS_RSA_WITH_AES_128_CBC_SHA256);
		NAME(0x003d, TLS_RSA_WITH_AES_256_CBC_SHA256);
		NAME(0x0041, TLS_RSA_WITH_CAMELLIA_128_CBC_SHA);
		NAME(0x0045, TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA);
		NAME(0x0067, TLS_DHE_RSA_WITH_AES_128_CBC_SHA256);
		NAME(0x006b, TLS_DHE_RSA_WITH_AES_256_CBC_SHA256);
		NAME(0x0084, TLS_RSA_WITH_CAMELLIA_256_CBC_SHA);
		NAME(0x0088, TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA);
		NAME(0x008c, TLS_PSK_WITH_AES_128_CBC_SHA);
		NAME(0x008d, TLS_PSK_WITH_AES_256_CBC_SHA);
		NAME(0x0090, TLS_DHE_PSK_WITH_AES_128_CBC_SHA);
		NAME(0x0091, TLS_DHE_PSK_WITH_AES_256_CBC_SHA);
		NAME(0x009c, TLS_RSA_WITH_AES_128_GCM_SHA256);
		NAME(0x009d, TLS_RSA_WITH_AES_256_GCM_SHA384);
		NAME(0x009e, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256);
		NAME(0x009f, TLS_DHE_RSA_WITH_AES_256_GCM_SHA384);
		NAME(0x00a8, TLS_PSK_WITH_AES_128_GCM_SHA256);
		NAME(0x00a9, TLS_PSK_WITH_AES_256_GCM_SHA384);
		NAME(0x00aa, TLS_DHE_PSK_WITH_AES_128_GCM_SHA256);
		NAME(0x00ab, TLS_DHE_PSK_WITH_AES_256_GCM_SHA384);
		NAME(0x00ae, TLS_PSK_WITH_AES_128_CBC_SHA256);
		NAME(0x00af, TLS_PSK_WITH_AES_256_CBC_SHA384);
		NAME(0x00b2, TLS_DHE_PSK_WITH_AES_128_CBC_SHA256);
		NAME(0x00b3, TLS_DHE_PSK_WITH_AES_256_CBC_SHA384);
		NAME(0x00ba, TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0x00be, TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0x00c0, TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256);
		NAME(0x00c4, TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256);
		NAME(0x1301, TLS_AES_128_GCM_SHA256);
		NAME(0x1302, TLS_AES_256_GCM_SHA384);
		NAME(0x1303, TLS_CHACHA20_POLY1305_SHA256);
		NAME(0x1304, TLS_AES_128_CCM_SHA256);
		NAME(0x1305, TLS_AES_128_CCM_8_SHA256);
		NAME(0xc007, TLS_ECDHE_ECDSA_WITH_RC4_128_SHA);
		NAME(0xc008, TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA);
		NAME(0xc009, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA);
		NAME(0xc00a, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA);
		NAME(0xc011, TLS_ECDHE_RSA_WITH_RC4_128_SHA);
		NAME(0xc012, TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA);
		NAME(0xc013, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA);
		NAME(0xc014, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA);
		NAME(0xc023, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256);
		NAME(0xc024, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384);
		NAME(0xc027, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256);
		NAME(0xc028, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384);
		NAME(0xc02b, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
		NAME(0xc02c, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
		NAME(0xc02f, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
		NAME(0xc030, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);
		NAME(0xc035, TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA);
		NAME(0xc036, TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA);
		NAME(0xc037, TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256);
		NAME(0xc038, TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384);
		NAME(0xc072, TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0xc073, TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384);
		NAME(0xc076, TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0xc077, TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384);
		NAME(0xc094, TLS_PSK_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0xc095, TLS_PSK_WITH_CAMELLIA_256_CBC_SHA384);
		NAME(0xc096, TLS_DHE_PSK_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0xc097, TLS_DHE_PSK_WITH_CAMELLIA_256_CBC_SHA384);
		NAME(0xc09a, TLS_ECDHE_PSK_WITH_CAMELLIA_128_CBC_SHA256);
		NAME(0xc09b, TLS_ECDHE_PSK_WITH_CAMELLIA_256_CBC_SHA384);
		NAME(0xc09c, TLS_RSA_WITH_AES_128_CCM);
		NAME(0xc09d, TLS_RSA_WITH_AES_256_CCM);
		NAME(0xc09e, TLS_DHE_RSA_WITH_AES_128_CCM);
		NAME(0xc09f, TLS_DHE_RSA_WITH_AES_256_CCM);
		NAME(0xc0a0, TLS_RSA_WITH_AES_128_CCM_8);
		NAME(0xc0a1, TLS_RSA_WITH_AES_256_CCM_8);
		NAME(0xc0a4, TLS_PSK_WITH_AES_128_CCM);
		NAME(0xc0a5, TLS_PSK_WITH_AES_256_CCM);
		NAME(0xc0a6, TLS_DHE_PSK_WITH_AES_128_CCM);
		NAME(0xc0a7, TLS_DHE_PSK_WITH_AES_256_CCM);
		NAME(0xc0ac, TLS_ECDHE_ECDSA_WITH_AES_128_CCM);
		NAME(0xc0ad, TLS_ECDHE_ECDSA_WITH_AES_256_CCM);
		NAME(0xc0ae, TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8);
		NAME(0xc0af, TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8);
		NAME(0xcca8, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256);
		NAME(0xcca9, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
		NAME(0xccaa, TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256);
		NAME(0xccab, TLS_PSK_WITH_CHACHA20_POLY1305_SHA256);
		NAME(0xccac, TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256);
		NAME(0xccad, TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256);
	default:
		return NULL;
	}
}

/*
 * RFC 8446 section 6; those marked RESERVED there by RFC 5246 section 7.2 and RFC 4346; 86 by RFC 7507, 120 by RFC 7301; 52 and 121 as
 * IANA lists them.
 */
const char *ht_tls_alert_name(uint8_t description)
{
	switch (description) {
		NAME(0, CLOSE_NOTIFY);
		NAME(10, UNEXPECTED_MESSAGE);
		NAME(20, BAD_RECORD_MAC);
		NAME(21, DECRYPTION_FAILED);
		NAME(22, RECORD_OVERFLOW);
		NAME(30, DECOMPRESSION_FAILURE);
		NAME(40, HANDSHAKE_FAILURE);
		NAME(41, NO_CERTIFICATE);
		NAME(42, BAD_CERTIFICATE);
		NAME(43, UNSUPPORTED_CERTIFICATE);
		NAME(44, CERTIFICATE_REVOKED);
		NAME(45, CERTIFICATE_EXPIRED);
		NAME(46, CERTIFICATE_UNKNOWN);
		NAME(47, ILLEGAL_PARAMETER);
		NAME(48, UNKNOWN_CA);
		NAME(49, ACCESS_DENIED);
		NAME(50, DECODE_ERROR);
		NAME(51, DECRYPT_ERROR);
		NAME(52, TOO_MANY_CIDS_REQUESTED);
		NAME(60, EXPORT_RESTRICTION);
		NAME(70, PROTOCOL_VERSION);
		NAME(71, INSUFFICIENT_SECURITY);
		NAME(80, INTERNAL_ERROR);
		NAME(86, INAPPROPRIATE_FALLBACK);
		NAME(90, USER_CANCELED);
		NAME(100, NO_RENEGOTIATION);
		NAME(109, MISSING_EXTENSION);
		NAME(110, UNSUPPORTED_EXTENSION);
		NAME(111, CERTIFICATE_UNOBTAINABLE);
		NAME(112, UNRECOGNIZED_NAME);
		NAME(113, BAD_CERTIFICATE_STATUS_RESPONSE);
		NAME(114, BAD_CERTIFICATE_HASH_VALUE);
		NAME(115, UNKNOWN_PSK_IDENTITY);
		NAME(116, CERTIFICATE_REQUIRED);
		NAME(120, NO_APPLICATION_PROTOCOL);
		NAME(121, ECH_REQUIRED);
	default:
		return NULL;
	}
}

/* SSL_R_* of openssl/sslerr.h, 3.0; from 1000 on: 1000 and the alert's number. */
static const char *ssl_reason_name(uint32_t reason)
{
	switch (reason) {
		NAME(100, APP_DATA_IN_HANDSHAKE);
		NAME(101, NO_SUITABLE_KEY_SHARE);
		NAME(102, BAD_DH_VALUE);
		NAME(103, BAD_CHANGE_CIPHER_SPEC);
		NAME(104, INCONSISTENT_EXTMS);
		NAME(105, BAD_HELLO_REQUEST);
		NAME(108, BAD_KEY_SHARE);
		NAME(110, BAD_EXTENSION);
		NAME(111, BAD_DIGEST_LENGTH);
		NAME(112, MISSING_SIGALGS_EXTENSION);
		NAME(114, BAD_PSK_IDENTITY);
		NAME(115, BAD_PACKET_LENGTH);
		NAME(116, BAD_PROTOCOL_VERSION_NUMBER);
		NAME(118, NO_SUITABLE_SIGNATURE_ALGORITHM);
		NAME(119, BAD_RSA_ENCRYPT);
		NAME(120, INVALID_KEY_UPDATE_TYPE);
		NAME(121, STILL_IN_INIT);
		NAME(122, BAD_KEY_UPDATE);
		NAME(123, BAD_SIGNATURE);
		NAME(128, BIO_NOT_SET);
		NAME(129, BLOCK_CIPHER_PAD_IS_WRONG);
		NAME(131, CA_DN_LENGTH_MISMATCH);
		NAME(132, TOO_MANY_KEY_UPDATES);
		NAME(133, CCS_RECEIVED_EARLY);
		NAME(134, CERTIFICATE_VERIFY_FAILED);
		NAME(135, CERT_LENGTH_MISMATCH);
		NAME(137, CIPHER_CODE_WRONG_LENGTH);
		NAME(145, DATA_BETWEEN_CCS_AND_FINISHED);
		NAME(146, DATA_LENGTH_TOO_LONG);
		NAME(147, DECRYPTION_FAILED);
		NAME(148, DH_PUBLIC_VALUE_LENGTH_IS_WRONG);
		NAME(149, DIGEST_CHECK_FAILED);
		NAME(150, ENCRYPTED_LENGTH_TOO_LONG);
		NAME(152, EXCESSIVE_MESSAGE_SIZE);
		NAME(153, EXTRA_DATA_IN_MESSAGE);
		NAME(154, GOT_A_FIN_BEFORE_A_CCS);
		NAME(155, HTTPS_PROXY_REQUEST);
		NAME(156, HTTP_REQUEST);
		NAME(157, TLS_INVALID_ECPOINTFORMAT_LIST);
		NAME(159, LENGTH_MISMATCH);
		NAME(160, LENGTH_TOO_SHORT);
		NAME(161, LIBRARY_HAS_NO_CIPHERS);
		NAME(163, EXT_LENGTH_MISMATCH);
		NAME(164, TOO_MUCH_EARLY_DATA);
		NAME(166, VERSION_TOO_HIGH);
		NAME(176, NO_CERTIFICATES_RETURNED);
		NAME(178, UNEXPECTED_END_OF_EARLY_DATA);
		NAME(181, NO_CIPHERS_AVAILABLE);
		NAME(183, NO_CIPHERS_SPECIFIED);
		NAME(185, NO_CIPHER_MATCH);
		NAME(191, NO_PROTOCOLS_AVAILABLE);
		NAME(193, NO_SHARED_CIPHER);
		NAME(194, EXCEEDS_MAX_FRAGMENT_SIZE);
		NAME(198, PACKET_LENGTH_TOO_LONG);
		NAME(199, PEER_DID_NOT_RETURN_A_CERTIFICATE);
		NAME(205, INVALID_ALERT);
		NAME(207, PROTOCOL_IS_SHUTDOWN);
		NAME(208, SCT_VERIFICATION_FAILED);
		NAME(209, MISSING_SUPPORTED_GROUPS_EXTENSION);
		NAME(210, SSL_SESSION_VERSION_MISMATCH);
		NAME(211, READ_BIO_NOT_SET);
		NAME(213, RECORD_LENGTH_MISMATCH);
		NAME(214, NO_CHANGE_FOLLOWING_HRR);
		NAME(215, REQUIRED_CIPHER_MISSING);
		NAME(216, NO_VALID_SCTS);
		NAME(217, UNSOLICITED_EXTENSION);
		NAME(218, CIPHERSUITE_DIGEST_HAS_CHANGED);
		NAME(219, BAD_PSK);
		NAME(220, SIGNATURE_FOR_NON_SIGNING_CERTIFICATE);
		NAME(222, INCONSISTENT_EARLY_DATA_ALPN);
		NAME(223, PSK_IDENTITY_NOT_FOUND);
		NAME(226, CLIENTHELLO_TLSEXT);
		NAME(227, PARSE_TLSEXT);
		NAME(228, SSL_CTX_HAS_NO_DEFAULT_SSL_VERSION);
		NAME(229, SSL_HANDSHAKE_FAILURE);
		NAME(230, SSL_LIBRARY_HAS_NO_CIPHERS);
		NAME(231, INCONSISTENT_EARLY_DATA_SNI);
		NAME(232, SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH);
		NAME(233, BAD_EARLY_DATA);
		NAME(235, NO_APPLICATION_PROTOCOL);
		NAME(236, BAD_HANDSHAKE_STATE);
		NAME(237, OVERFLOW_ERROR);
		NAME(238, INVALID_CERTIFICATE_OR_ALG);
		NAME(240, BAD_PACKET);
		NAME(241, INSUFFICIENT_SECURITY);
		NAME(244, UNEXPECTED_MESSAGE);
		NAME(245, UNEXPECTED_RECORD);
		NAME(246, UNKNOWN_ALERT_TYPE);
		NAME(248, UNKNOWN_CIPHER_RETURNED);
		NAME(249, UNKNOWN_CIPHER_TYPE);
		NAME(252, UNKNOWN_PROTOCOL);
		NAME(253, BINDER_DOES_NOT_VERIFY);
		NAME(254, UNKNOWN_SSL_VERSION);
		NAME(258, UNSUPPORTED_PROTOCOL);
		NAME(259, UNSUPPORTED_SSL_VERSION);
		NAME(260, INVALID_CCS_MESSAGE);
		NAME(261, WRONG_CIPHER_RETURNED);
		NAME(262, UNEXPECTED_CCS_MESSAGE);
		NAME(263, BAD_HRR_VERSION);
		NAME(264, WRONG_SIGNATURE_LENGTH);
		NAME(265, WRONG_SIGNATURE_SIZE);
		NAME(266, WRONG_SSL_VERSION);
		NAME(267, WRONG_VERSION_NUMBER);
		NAME(268, X509_LIB);
		NAME(269, X509_VERIFICATION_SETUP_PROBLEMS);
		NAME(271, BAD_LENGTH);
		NAME(275, SERVERHELLO_TLSEXT);
		NAME(276, UNINITIALIZED);
		NAME(279, EXTENSION_NOT_RECEIVED);
		NAME(281, DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
		NAME(291, APPLICATION_DATA_AFTER_CLOSE_NOTIFY);
		NAME(292, BAD_LEGACY_VERSION);
		NAME(293, MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA);
		NAME(294, UNEXPECTED_EOF_WHILE_READING);
		NAME(295, NO_SUITABLE_GROUPS);
		NAME(297, NO_SUITABLE_DIGEST_ALGORITHM);
		NAME(298, RECORD_TOO_SMALL);
		NAME(300, SSL3_SESSION_ID_TOO_LONG);
		NAME(303, SSL_SESSION_ID_HAS_BAD_LENGTH);
		NAME(304, BAD_ECC_CERT);
		NAME(305, OCSP_CALLBACK_FAILURE);
		NAME(306, BAD_ECPOINT);
		NAME(310, MISSING_PSK_KEX_MODES_EXTENSION);
		NAME(312, READ_TIMEOUT_EXPIRED);
		NAME(315, UNSUPPORTED_ELLIPTIC_CURVE);
		NAME(318, ECC_CERT_NOT_FOR_SIGNING);
		NAME(319, SSL3_EXT_INVALID_SERVERNAME);
		NAME(320, SSL3_EXT_INVALID_SERVERNAME_TYPE);
		NAME(324, NO_REQUIRED_DIGEST);
		NAME(328, INVALID_STATUS_RESPONSE);
		NAME(329, UNSUPPORTED_STATUS_TYPE);
		NAME(332, BAD_HANDSHAKE_LENGTH);
		NAME(333, LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED);
		NAME(336, RENEGOTIATION_ENCODING_ERR);
		NAME(337, RENEGOTIATION_MISMATCH);
		NAME(338, UNSAFE_LEGACY_RENEGOTIATION_DISABLED);
		NAME(339, NO_RENEGOTIATION);
		NAME(345, SCSV_RECEIVED_WHEN_RENEGOTIATING);
		NAME(360, SIGNATURE_ALGORITHMS_ERROR);
		NAME(370, WRONG_SIGNATURE_TYPE);
		NAME(372, SSL_NEGATIVE_LENGTH);
		NAME(373, INAPPROPRIATE_FALLBACK);
		NAME(376, NO_SHARED_SIGNATURE_ALGORITHMS);
		NAME(377, CERT_CB_ERROR);
		NAME(378, WRONG_CURVE);
		NAME(394, DH_KEY_TOO_SMALL);
		NAME(396, VERSION_TOO_LOW);
		NAME(397, CA_KEY_TOO_SMALL);
		NAME(398, CA_MD_TOO_WEAK);
		NAME(399, EE_KEY_TOO_SMALL);
		NAME(401, FRAGMENTED_CLIENT_HELLO);
		NAME(404, LENGTH_TOO_LONG);
		NAME(408, SSL_SESSION_ID_TOO_LONG);
		NAME(409, TOO_MANY_WARN_ALERTS);
		NAME(410, NO_SHARED_GROUPS);
		NAME(443, BAD_RECORD_TYPE);
		NAME(999, INVALID_SESSION_ID);
		NAME(1010, SSLV3_ALERT_UNEXPECTED_MESSAGE);
		NAME(1020, SSLV3_ALERT_BAD_RECORD_MAC);
		NAME(1021, TLSV1_ALERT_DECRYPTION_FAILED);
		NAME(1022, TLSV1_ALERT_RECORD_OVERFLOW);
		NAME(1040, SSLV3_ALERT_HANDSHAKE_FAILURE);
		NAME(1041, SSLV3_ALERT_NO_CERTIFICATE);
		NAME(1042, SSLV3_ALERT_BAD_CERTIFICATE);
		NAME(1043, SSLV3_ALERT_UNSUPPORTED_CERTIFICATE);
		NAME(1044, SSLV3_ALERT_CERTIFICATE_REVOKED);
		NAME(1045, SSLV3_ALERT_CERTIFICATE_EXPIRED);
		NAME(1046, SSLV3_ALERT_CERTIFICATE_UNKNOWN);
		NAME(1047, SSLV3_ALERT_ILLEGAL_PARAMETER);
		NAME(1048, TLSV1_ALERT_UNKNOWN_CA);
		NAME(1049, TLSV1_ALERT_ACCESS_DENIED);
		NAME(1050, TLSV1_ALERT_DECODE_ERROR);
		NAME(1051, TLSV1_ALERT_DECRYPT_ERROR);
		NAME(1060, TLSV1_ALERT_EXPORT_RESTRICTION);
		NAME(1070, TLSV1_ALERT_PROTOCOL_VERSION);
		NAME(1071, TLSV1_ALERT_INSUFFICIENT_SECURITY);
		NAME(1080, TLSV1_ALERT_INTERNAL_ERROR);
		NAME(1086, TLSV1_ALERT_INAPPROPRIATE_FALLBACK);
		NAME(1090, TLSV1_ALERT_USER_CANCELLED);
		NAME(1100, TLSV1_ALERT_NO_RENEGOTIATION);
		NAME(1109, TLSV13_ALERT_MISSING_EXTENSION);
		NAME(1110, TLSV1_UNSUPPORTED_EXTENSION);
		NAME(1111, TLSV1_CERTIFICATE_UNOBTAINABLE);
		NAME(1112, TLSV1_UNRECOGNIZED_NAME);
		NAME(1113, TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE);
		NAME(1114, TLSV1_BAD_CERTIFICATE_HASH_VALUE);
		NAME(1115, TLSV1_ALERT_UNKNOWN_PSK_IDENTITY);
		NAME(1116, TLSV13_ALERT_CERTIFICATE_REQUIRED);
		NAME(1120, TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
	default:
		return NULL;
	}
}

/* X509_R_* of openssl/x509err.h */
static const char *x509_reason_name(uint32_t reason)
{
	switch (reason) {
		NAME(101, CERT_ALREADY_IN_HASH_TABLE);
		NAME(103, LOADING_CERT_DIR);
		NAME(104, LOADING_DEFAULTS);
		NAME(105, NO_CERT_SET_FOR_US_TO_VERIFY);
		NAME(107, UNABLE_TO_FIND_PARAMETERS_IN_CHAIN);
		NAME(108, UNABLE_TO_GET_CERTS_PUBLIC_KEY);
		NAME(110, AKID_MISMATCH);
		NAME(111, UNSUPPORTED_ALGORITHM);
		NAME(115, KEY_TYPE_MISMATCH);
		NAME(116, KEY_VALUES_MISMATCH);
		NAME(117, UNKNOWN_KEY_TYPE);
		NAME(125, PUBLIC_KEY_DECODE_ERROR);
		NAME(135, NO_CERTIFICATE_FOUND);
		NAME(136, NO_CERTIFICATE_OR_CRL_FOUND);
		NAME(137, NO_CRL_FOUND);
		NAME(139, CERTIFICATE_VERIFICATION_FAILED);
	default:
		return NULL;
	}
}

/* BIO_R_* of openssl/bioerr.h */
static const char *bio_reason_name(uint32_t reason)
{
	switch (reason) {
		NAME(103, CONNECT_ERROR);
		NAME(104, TRANSFER_ERROR);
		NAME(105, TRANSFER_TIMEOUT);
		NAME(110, NBIO_CONNECT_ERROR);
		NAME(118, UNABLE_TO_CREATE_SOCKET);
		NAME(120, UNINITIALIZED);
		NAME(121, UNSUPPORTED_METHOD);
		NAME(124, BROKEN_PIPE);
		NAME(128, NO_SUCH_FILE);
		NAME(142, LOOKUP_RETURNED_NOTHING);
		NAME(147, CONNECT_TIMEOUT);
	default:
		return NULL;
	}
}

/* ERR_R_* of openssl/err.h, which every library of it may raise, without their flags. */
static const char *common_reason_name(uint32_t reason)
{
	switch (reason) {
		NAME(2, SYS_LIB);
		NAME(3, BN_LIB);
		NAME(4, RSA_LIB);
		NAME(5, DH_LIB);
		NAME(6, EVP_LIB);
		NAME(7, BUF_LIB);
		NAME(9, PEM_LIB);
		NAME(11, X509_LIB);
		NAME(13, ASN1_LIB);
		NAME(15, CRYPTO_LIB);
		NAME(16, EC_LIB);
		NAME(20, SSL_LIB);
		NAME(32, BIO_LIB);
		NAME(256, MALLOC_FAILURE);
		NAME(257, SHOULD_NOT_HAVE_BEEN_CALLED);
		NAME(258, PASSED_NULL_PARAMETER);
		NAME(259, INTERNAL_ERROR);
		NAME(260, DISABLED);
		NAME(261, INIT_FAIL);
		NAME(262, PASSED_INVALID_ARGUMENT);
		NAME(263, OPERATION_FAIL);
		NAME(264, INVALID_PROVIDER_FUNCTIONS);
		NAME(265, INTERRUPTED_OR_CANCELLED);
		NAME(266, NESTED_ASN1_ERROR);
		NAME(267, MISSING_ASN1_EOS);
		NAME(268, UNSUPPORTED);
		NAME(269, FETCH_FAILED);
		NAME(270, INVALID_PROPERTY_DEFINITION);
		NAME(271, UNABLE_TO_GET_READ_LOCK);
		NAME(272, UNABLE_TO_GET_WRITE_LOCK);
	default:
		return NULL;
	}
}

/* openssl/err.h, 3.0: ERR_LIB_*; ERR_RFLAG_COMMON, and below it the reason and ERR_RFLAG_FATAL (bit 18). */
#define LIB_SYS           2
#define LIB_X509          11
#define LIB_SSL           20
#define LIB_BIO           32
#define REASON_COMMON     (2u << 18)
#define REASON_BELOW_MASK 0x3ffffu

const char *ht_openssl_reason_name(uint32_t library, uint32_t reason)
{
	if (reason == 0)
		return NULL;
	/* A system call's error: its reason is errno. */
	if (library == LIB_SYS)
		return reason < 4096 ? strerrorname_np((int)reason) : NULL;
	if (reason & REASON_COMMON)
		return common_reason_name(reason & REASON_BELOW_MASK);
	switch (library) {
	case LIB_SSL:
		return ssl_reason_name(reason);
	case LIB_X509:
		return x509_reason_name(reason);
	case LIB_BIO:
		return bio_reason_name(reason);
	default:
		return NULL;
	}
}

#define TEXT(number, text) \
	case number:       \
		return text

/* X509_V_ERR_* of openssl/x509_vfy.h */
const char *ht_x509_verify_text(uint32_t verify_result)
{
	switch (verify_result) {
		TEXT(1, "certificate verification failed for a reason that was not given");
		TEXT(2, "the issuer's certificate could not be found");
		TEXT(3, "the revocation list of a certificate could not be found");
		TEXT(4, "the signature of a certificate could not be decrypted");
		TEXT(5, "the signature of a revocation list could not be decrypted");
		TEXT(6, "the public key in the issuer's certificate could not be read");
		TEXT(7, "the signature of a certificate is wrong");
		TEXT(8, "the signature of a revocation list is wrong");
		TEXT(9, "certificate is not valid yet");
		TEXT(10, "certificate has expired");
		TEXT(11, "revocation list is not valid yet");
		TEXT(12, "revocation list has expired");
		TEXT(13, "certificate has an unreadable begin of validity");
		TEXT(14, "certificate has an unreadable end of validity");
		TEXT(15, "revocation list has an unreadable time of its last update");
		TEXT(16, "revocation list has an unreadable time of its next update");
		TEXT(17, "out of memory while verifying the certificate");
		TEXT(18, "self-signed certificate");
		TEXT(19, "self-signed certificate in certificate chain");
		TEXT(20, "the issuer's certificate is not among the trusted ones on this machine");
		TEXT(21, "the server's certificate could not be verified: its chain is missing");
		TEXT(22, "certificate chain is too long");
		TEXT(23, "certificate was revoked");
		TEXT(24, "the issuer's certificate has no public key");
		TEXT(25, "certificate chain is longer than one of its issuers allows");
		TEXT(26, "certificate is not meant for this purpose");
		TEXT(27, "the root certificate is not trusted for this purpose");
		TEXT(28, "the root certificate is rejected for this purpose");
		TEXT(29, "issuer and subject of neighbours in the chain differ");
		TEXT(30, "key identifiers of issuer and certificate differ");
		TEXT(31, "issuer and serial number differ from what the certificate names");
		TEXT(32, "the issuer's key must not sign certificates");
		TEXT(33, "the issuer of the revocation list could not be found");
		TEXT(34, "certificate has a critical extension that is not understood");
		TEXT(35, "the issuer's key must not sign revocation lists");
		TEXT(36, "revocation list has a critical extension that is not understood");
		TEXT(37, "a certificate in the chain is no CA's, but has CA markings");
		TEXT(38, "chain of proxy certificates is longer than allowed");
		TEXT(39, "the certificate's key must not make digital signatures");
		TEXT(40, "proxy certificates are not allowed");
		TEXT(41, "certificate has an invalid or inconsistent extension");
		TEXT(42, "certificate has an invalid or inconsistent policy extension");
		TEXT(43, "no policy is stated where one is required");
		TEXT(44, "revocation list has another scope");
		TEXT(45, "certificate uses a feature that is not supported");
		TEXT(46, "IP resources are not part of the issuer's");
		TEXT(47, "name is not one that an issuer permits");
		TEXT(48, "name is one that an issuer excludes");
		TEXT(49, "name constraints with minimum and maximum are not supported");
		TEXT(50, "the program's own verification refused the certificate");
		TEXT(51, "type of a name constraint is not supported");
		TEXT(52, "name constraint is not readable or not supported");
		TEXT(53, "form of a name is not supported");
		TEXT(54, "path of the revocation list's issuer could not be verified");
		TEXT(55, "certificate chain runs in a circle");
		TEXT(56, "Suite B: version of a certificate is wrong");
		TEXT(57, "Suite B: kind of public key is wrong");
		TEXT(58, "Suite B: curve is wrong");
		TEXT(59, "Suite B: signature algorithm is wrong");
		TEXT(60, "Suite B: curve is not allowed at this level of security");
		TEXT(61, "Suite B: P-384 must not be signed with P-256");
		TEXT(62, "certificate is for another host name");
		TEXT(63, "certificate is for another e-mail address");
		TEXT(64, "certificate is for another IP address");
		TEXT(65, "no DANE TLSA record matches");
		TEXT(66, "the server's key is too small");
		TEXT(67, "a CA's key is too small");
		TEXT(68, "a CA's signature uses a hash that is too weak");
		TEXT(69, "verification was called in a wrong way");
		TEXT(70, "looking up the issuer's certificate failed");
		TEXT(71, "certificate transparency: no valid timestamps");
		TEXT(72, "subject of a proxy certificate is not one its issuer allows");
		TEXT(73, "OCSP status is required and missing");
		TEXT(74, "OCSP status could not be verified");
		TEXT(75, "OCSP responder does not know the certificate");
		TEXT(76, "signature algorithm is not supported");
		TEXT(77, "signature algorithm is not that of the issuer's key");
		TEXT(78, "certificate names two different signature algorithms");
		TEXT(79, "a CA certificate in the chain is invalid");
		TEXT(80, "path length is given for a certificate that is no CA's");
		TEXT(81, "path length is given without the right to sign certificates");
		TEXT(82, "right to sign certificates is given to a certificate that is no CA's");
		TEXT(83, "name of the issuer is empty");
		TEXT(84, "name of the subject is empty");
		TEXT(85, "identifier of the issuer's key is missing");
		TEXT(86, "identifier of the certificate's key is missing");
		TEXT(87, "list of alternative names is empty");
		TEXT(88, "alternative names are not critical though the subject is empty");
		TEXT(89, "basic constraints of a CA certificate are not critical");
		TEXT(90, "identifier of the issuer's key must not be critical");
		TEXT(91, "identifier of the certificate's key must not be critical");
		TEXT(92, "a CA certificate does not say what its key is for");
		TEXT(93, "extensions in a certificate that is not of version 3");
		TEXT(94, "key has its curve's parameters written out");
	default:
		return NULL;
	}
}
