/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_chooser_cases.h - the tables of test_chooser.c: code by hand, and what is known of installed files.
 *
 * Code is hex; @400 is a displacement of 32 bits to that offset.
 */
#ifndef TEST_CHOOSER_CASES_H
#define TEST_CHOOSER_CASES_H

#include "attach/chooser.h"

#define CALL HT_CHOOSE_CALL
#define MOVE HT_CHOOSE_RETURN_MOVED

static const struct {
	const char *why;
	const char *code;
	enum ht_abi abi;
	unsigned int args;
	unsigned int flags;
	bool is_size_unknown;
	uint32_t moved;
	enum ht_site_class site_class;
	int32_t sp_delta;
	uint32_t ret_moved;
	enum ht_site_class ret_class;
} sites[] = {
	{ "push first: nothing to gain", "53 48 83 ec 10 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_EMULATED, 0, 0, HT_SITE_EMULATED },
	{ "push of a high register has a prefix of its own", "41 54 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_EMULATED, 0, 0,
	  HT_SITE_EMULATED },
	{ "endbr64 is single-stepped, the push behind it is not", "f3 0f 1e fa 55 c3", HT_ABI_C, 7, MOVE, false, 4, HT_SITE_EMULATED, 0, 4,
	  HT_SITE_EMULATED },
	{ "without leave the return probe stays", "f3 0f 1e fa 55 c3", HT_ABI_C, 7, 0, false, 4, HT_SITE_EMULATED, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "endbr64 and push are a beginning, even of a function without a size", "f3 0f 1e fa 55 c3", HT_ABI_C, 7, MOVE, true, 4,
	  HT_SITE_EMULATED, 0, 4, HT_SITE_EMULATED },
	{ "a jcc may be a loop's if nobody knows the rest", "48 85 ff 74 01 c3 c3", HT_ABI_C, 7, MOVE, true, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "SSL_free: test, je", "48 85 ff 74 01 c3 c3", HT_ABI_C, 1, MOVE, false, 3, HT_SITE_EMULATED, 0, 3, HT_SITE_EMULATED },
	{ "SSL_read: the js, with the stack moved", "48 83 ec 18 85 d2 78 05 48 83 c4 18 c3 48 83 c4 18 c3", HT_ABI_C, 7, MOVE, false, 6,
	  HT_SITE_EMULATED, -24, 0, HT_SITE_SINGLE_STEP },
	{ "a call by leave", "48 83 ec 08 e8 @80 48 83 c4 08 c3", HT_ABI_C, 7, CALL, false, 4, HT_SITE_EMULATED, -8, 0,
	  HT_SITE_SINGLE_STEP },
	{ "a call without leave", "48 83 ec 08 e8 @80 48 83 c4 08 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "nothing behind a call, whatever it is", "48 83 ec 08 e8 @80 53 5b 48 83 c4 08 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP,
	  0, 0, HT_SITE_SINGLE_STEP },
	{ "a written argument ends it", "48 89 f7 53 5b c3", HT_ABI_C, 1, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "so does half of one", "40 b7 01 53 5b c3", HT_ABI_C, 1, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "an argument that nobody asks for may be written", "48 89 f7 53 5b c3", HT_ABI_C, 2, 0, false, 3, HT_SITE_EMULATED, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "memory is no argument", "48 89 3e 53 5b c3", HT_ABI_C, 3, 0, false, 3, HT_SITE_EMULATED, 0, 0, HT_SITE_SINGLE_STEP },
	{ "xchg writes both", "48 87 f8 53 5b c3", HT_ABI_C, 1, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "an instruction that is not known may write anything", "0f a2 53 5b c3", HT_ABI_C, 1, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "a vector register is none, a general one out of it is", "66 48 0f 7e c7 53 5b c3", HT_ABI_C, 1, 0, false, 0, HT_SITE_SINGLE_STEP,
	  0, 0, HT_SITE_SINGLE_STEP },
	{ "nops of more bytes are emulated by newer kernels only", "0f 1f 40 00 53 5b c3", HT_ABI_C, 7, 0, false, 4, HT_SITE_EMULATED, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "older kernels refuse to probe a nop of two bytes", "66 90 48 85 ff 74 01 c3 c3", HT_ABI_C, 7, 0, false, 5, HT_SITE_EMULATED, 0,
	  0, HT_SITE_SINGLE_STEP },
	{ "bnd jmp is not chosen", "f2 e9 @80", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "push of memory is single-stepped", "ff 77 08 58 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "jrcxz is single-stepped", "e3 01 c3 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0, HT_SITE_SINGLE_STEP },
	{ "a jump back to it would be counted as a call", "48 ff c8 48 85 ff 75 fb c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "a loop back to the first instruction: as often as a probe there would hit", "48 ff c8 48 85 ff 75 f8 c3", HT_ABI_C, 7, 0, false,
	  6, HT_SITE_EMULATED, 0, 0, HT_SITE_SINGLE_STEP },
	{ "a jump straight to it as well", "48 85 ff 74 02 eb fc c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "a computed jump may lead anywhere", "48 85 ff 74 02 ff e0 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "but not to a push of the beginning", "48 85 ff 53 5b ff e0", HT_ABI_C, 7, MOVE, false, 3, HT_SITE_EMULATED, 0, 3,
	  HT_SITE_EMULATED },
	{ "bytes that are no code: not all is known", "48 85 ff 74 01 06 c3", HT_ABI_C, 7, 0, false, 0, HT_SITE_SINGLE_STEP, 0, 0,
	  HT_SITE_SINGLE_STEP },
	{ "Go: behind the stack check", "49 3b 66 10 76 06 55 48 89 e5 5d c3 48 89 44 24 08 e8 @80 48 8b 44 24 08 eb e3", HT_ABI_GO, 1, 0,
	  false, 6, HT_SITE_EMULATED, 0, 0, HT_SITE_SINGLE_STEP },
	{ "Go: a branch that does not start over is no stack check",
	  "49 3b 66 10 76 06 55 48 89 e5 5d c3 48 89 44 24 08 e8 @80 48 8b 44 24 08 eb e4", HT_ABI_GO, 1, 0, false, 4, HT_SITE_EMULATED, 0,
	  0, HT_SITE_SINGLE_STEP },
	{ "Go: nothing behind the check: the check", "49 3b 66 10 76 04 31 c0 5d c3 e8 @80 eb ef", HT_ABI_GO, 1, 0, false, 4,
	  HT_SITE_EMULATED, 0, 0, HT_SITE_SINGLE_STEP },
};

static const struct {
	const char *why;
	const char *code;
	uint32_t moved;
	enum ht_site_class site_class;
	int32_t sp_delta;
} arm64_sites[] = {
	{ "frame, then bl", "fd 7b be a9 fd 03 00 91 00 00 00 94 fd 7b c2 a8 c0 03 5f d6", 8, HT_SITE_EMULATED, -32 },
	{ "cbz first", "40 00 00 b4 c0 03 5f d6 c0 03 5f d6", 0, HT_SITE_EMULATED, 0 },
	{ "an argument is written before the branch", "e0 03 01 aa 40 00 00 b4 c0 03 5f d6 c0 03 5f d6", 0, HT_SITE_SINGLE_STEP, 0 },
	{ "bti, sub sp, tbnz", "5f 24 03 d5 ff 83 00 d1 41 00 f8 37 c0 03 5f d6 c0 03 5f d6", 8, HT_SITE_EMULATED, -32 },
};

/* The int form is at 100, the other at 200, a third function at 300, one in between at 380; 400 and 480 are internal. */
#define INT_FORM \
	"48 83 ec 18 85 d2 78 18 48 89 e1 48 63 d2 e8 @400 85 c0 7e 03 8b 04 24 48 83 c4 18 c3 90 90 90 b8 ff ff ff ff 48 83 c4 18 c3"
#define EX_FORM    "48 83 ec 08 e8 @400 31 d2 85 c0 0f 48 c2 48 83 c4 08 c3"
#define OTHER_FORM "48 83 ec 08 e8 @480 48 83 c4 08 c3"

static const struct {
	const char *why;
	const char *int_form;
	const char *ex_form;
	const char *other;
	unsigned int done_arg; /* 0: not found */
	const char *through;   /* at 380; NULL: there is none */
} inners[] = {
	{ "as gcc makes it: OpenSSL 1.1.1 to 3.2", INT_FORM, EX_FORM, OTHER_FORM, 3, NULL },
	{ "without optimisation: through the frame",
	  "55 48 89 e5 48 83 ec 30 48 89 7d e8 48 89 75 e0 89 55 dc 83 7d dc 00 79 07 b8 ff ff ff ff eb 2a 8b 45 dc 48 98 48 89 c2 "
	  "48 8d 4d f0 "
	  "48 8b 75 e0 48 8b 45 e8 48 89 c7 e8 @400 89 45 fc 83 7d fc 00 7e 07 48 8b 45 f0 89 45 fc 8b 45 fc c9 c3",
	  EX_FORM, OTHER_FORM, 3, NULL },
	{ "as clang makes it: a conditional move of the slot",
	  "50 85 d2 78 12 48 89 e1 48 63 d2 e8 @400 85 c0 0f 4f 04 24 59 c3 b8 ff ff ff ff 59 c3", EX_FORM, OTHER_FORM, 3, NULL },
	{ "flags before done: OpenSSL 3.3 and later", "48 83 ec 18 49 89 e0 31 c9 48 63 d2 e8 @400 85 c0 7e 03 8b 04 24 48 83 c4 18 c3",
	  "48 83 ec 08 49 89 c8 31 c9 e8 @400 31 d2 85 c0 0f 48 c2 48 83 c4 08 c3", OTHER_FORM, 4, NULL },
	{ "the ex form may jump instead of calling", INT_FORM, "e9 @400", OTHER_FORM, 3, NULL },
	{ "another buffer is handed on", "48 83 ec 18 48 89 fe 48 89 e1 48 63 d2 e8 @400 85 c0 7e 03 8b 04 24 48 83 c4 18 c3", EX_FORM,
	  OTHER_FORM, 0, NULL },
	{ "another length", "48 83 ec 18 ff c2 48 89 e1 48 63 d2 e8 @400 85 c0 7e 03 8b 04 24 48 83 c4 18 c3", EX_FORM, OTHER_FORM, 0,
	  NULL },
	{ "done is somebody else's", "48 83 ec 18 48 89 f9 48 63 d2 e8 @400 85 c0 7e 03 8b 04 24 48 83 c4 18 c3", EX_FORM, OTHER_FORM, 0,
	  NULL },
	{ "the ex form halves the length", INT_FORM, "48 83 ec 08 89 d2 e8 @400 48 83 c4 08 c3", OTHER_FORM, 0, NULL },
	{ "its result is dropped", "48 83 ec 18 48 89 e1 48 63 d2 e8 @400 b8 01 00 00 00 48 83 c4 18 c3", EX_FORM, OTHER_FORM, 0, NULL },
	{ "what it stored is not returned", "48 83 ec 18 48 89 e1 48 63 d2 e8 @400 48 83 c4 18 c3", EX_FORM, OTHER_FORM, 0, NULL },
	{ "another slot is returned", "48 83 ec 18 48 89 e1 48 63 d2 e8 @400 85 c0 7e 04 8b 44 24 08 48 83 c4 18 c3", EX_FORM, OTHER_FORM,
	  0, NULL },
	{ "another function is called in between", "48 83 ec 18 48 89 e1 48 63 d2 e8 @400 e8 @480 48 83 c4 18 c3", EX_FORM, OTHER_FORM, 0,
	  NULL },
	{ "the forms call two functions", INT_FORM, "48 83 ec 08 e8 @480 48 83 c4 08 c3", "c3", 0, NULL },
	{ "a third function calls it too", INT_FORM, EX_FORM, "48 83 ec 08 e8 @400 48 83 c4 08 c3", 0, NULL },
	{ "a loop that never ends", INT_FORM, "85 d2 78 fc eb fa", OTHER_FORM, 0, NULL },
	{ "a computed jump", INT_FORM, "ff e0", OTHER_FORM, 0, NULL },
	{ "no code", INT_FORM, "06", OTHER_FORM, 0, NULL },
	{ "a target outside of the file", INT_FORM, "e9 @99999999", OTHER_FORM, 0, NULL },
	{ "the ex form by way of another public one: OpenSSL 3.5",
	  "48 83 ec 18 85 d2 78 13 31 c9 48 63 d2 4c 8d 44 24 08 e8 @400 85 c0 0f 4f 44 24 08 48 83 c4 18 c3 b8 ff ff ff ff eb f4",
	  "49 89 c8 31 c9 e9 @380", NULL, 4, "48 83 ec 08 e8 @400 ba 00 00 00 00 85 c0 0f 48 c2 48 83 c4 08 c3" },
	{ "which loses the buffer",
	  "48 83 ec 18 85 d2 78 13 31 c9 48 63 d2 4c 8d 44 24 08 e8 @400 85 c0 0f 4f 44 24 08 48 83 c4 18 c3 b8 ff ff ff ff eb f4",
	  "49 89 c8 31 c9 e9 @380", NULL, 0, "48 83 ec 08 48 89 fe e8 @400 48 83 c4 08 c3" },
	{ "which takes done from the flags",
	  "48 83 ec 18 85 d2 78 13 31 c9 48 63 d2 4c 8d 44 24 08 e8 @400 85 c0 0f 4f 44 24 08 48 83 c4 18 c3 b8 ff ff ff ff eb f4",
	  "49 89 c8 31 c9 e9 @380", NULL, 0, "48 83 ec 08 49 89 c8 e8 @400 48 83 c4 08 c3" },
	{ "which is not the one that the ex form calls",
	  "48 83 ec 18 85 d2 78 13 31 c9 48 63 d2 4c 8d 44 24 08 e8 @400 85 c0 0f 4f 44 24 08 48 83 c4 18 c3 b8 ff ff ff ff eb f4",
	  "49 89 c8 31 c9 e9 @480", NULL, 0, "48 83 ec 08 e8 @400 ba 00 00 00 00 85 c0 0f 48 c2 48 83 c4 08 c3" },
};

/* What objdump shows of some versions, by hand. moved and ret: offsets; a minus sign: single-stepped. */
static const struct {
	const char *file;
	const char *build_id;
	struct {
		const char *name;
		unsigned int args;
		int moved; /* by leave of a call */
		bool is_slow;
		int ret;
		bool is_ret_slow;
	} fns[16];
	uint64_t inner_read; /* file offsets; 0: not to be found */
	uint64_t inner_write;
} installed[] = {
	{ "libssl.so.3",
	  "a9394c735d65e02b7182d2c0aec6cbd301217830", /* Debian 12, 3.0 */
	  { { "SSL_read", 7, 22, false, 0, true },
	    { "SSL_read_ex", 0xf, 4, false, 0, true },
	    { "SSL_write", 7, 22, false, 0, true },
	    { "SSL_write_ex", 0xf, 4, false, 0, true },
	    { "SSL_connect", 1, 5, false, 5, false },
	    { "SSL_accept", 1, 5, false, 5, false },
	    { "SSL_do_handshake", 1, 0, false, 0, false },
	    { "SSL_free", 1, 3, false, 3, false },
	    { "SSL_set_fd", 3, 0, false, 0, false },
	    { "SSL_ctrl", 0xf, 0, false, 0, false },
	    { "SSL_clear", 1, 0, false, 0, false },
	    { "SSL_shutdown", 1, 0, false, 0, false },
	    { "SSL_get0_alpn_selected", 7, 15, false, 15, false },
	    { "SSL_get_verify_result", 1, 0, true, 0, true } },
	  0x352d0,
	  0x355e0 },
	{ "libcrypto.so.3", "4ca7b79d949e1c4379081367a69a3fa442a0dcba", { { "ERR_vset_error", 3, 0, false, 0, false } }, 0, 0 },
	{ "libc.so.6",
	  "93ac61ec5a8eb1396f9fbd350e3169a558528a40",
	  { { "getaddrinfo", 0xf, 0, false, 0, false }, { "freeaddrinfo", 1, 3, false, 3, false } },
	  0,
	  0 },
	{ "libgnutls.so.30",
	  "4aac907a3aee773157dfb84aee99dc8d1fbe3f8f",
	  { { "gnutls_record_send", 7, 5, false, 5, false },
	    { "gnutls_record_send2", 7, 0, false, 0, false },
	    { "gnutls_record_recv", 7, 14, false, 0, true },
	    { "gnutls_handshake", 1, 0, false, 0, false },
	    { "gnutls_bye", 3, 0, false, 0, false },
	    { "gnutls_deinit", 1, 0, true, 0, true },
	    { "gnutls_server_name_set", 0xf, 0, false, 0, false } },
	  0,
	  0 },
	{ "libcurl.so.4",
	  "268f08d802973bae814a122299a4359dfb8e50ea",
	  { { "curl_easy_perform", 1, 0, false, 0, false }, { "curl_easy_cleanup", 1, 34, false, 0, true } },
	  0,
	  0 },
	{ "node",
	  "ebeaf2df364d5eeb7096f0f7722a69eec6efdf3b", /* 20.20: the inner functions are inlined */
	  { { "SSL_read", 7, 0, false, 0, false },
	    { "SSL_write", 7, 0, false, 0, false },
	    { "SSL_connect", 1, 0, false, 0, false },
	    { "SSL_free", 1, 3, false, 3, false },
	    { "SSL_get0_alpn_selected", 7, 15, false, 15, false } },
	  0,
	  0 },
};

#endif
