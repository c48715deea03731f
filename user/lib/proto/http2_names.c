/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_names.c - errors by their names: ours, and the codes of RFC 9113 section 7.
 */
#include "proto/http2.h"

enum code {
	PROTOCOL_ERROR = 0x1,
	FLOW_CONTROL_ERROR = 0x3,
	STREAM_CLOSED = 0x5,
	FRAME_SIZE_ERROR = 0x6,
	COMPRESSION_ERROR = 0x9,
};

static const struct {
	const char *name;
	uint32_t code;
} errors[] = {
	[HT_HTTP2_OK] = { "ok", 0 },
	[HT_HTTP2_BAD_PREFACE] = { "bad_preface", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_FRAME_SIZE] = { "bad_frame_size", FRAME_SIZE_ERROR },
	[HT_HTTP2_BAD_STREAM_ID] = { "bad_stream_id", PROTOCOL_ERROR },
	[HT_HTTP2_IDLE_STREAM] = { "idle_stream", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_PADDING] = { "bad_padding", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_CONTINUATION] = { "bad_continuation", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_SETTING] = { "bad_setting", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_WINDOW] = { "bad_window", FLOW_CONTROL_ERROR },
	[HT_HTTP2_BAD_INCREMENT] = { "bad_increment", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_PUSH] = { "bad_push", PROTOCOL_ERROR },
	[HT_HTTP2_BAD_COMPRESSION] = { "bad_compression", COMPRESSION_ERROR },
	[HT_HTTP2_MALFORMED] = { "malformed", PROTOCOL_ERROR },
	[HT_HTTP2_STREAM_CLOSED] = { "stream_closed", STREAM_CLOSED },
};

const char *ht_http2_error_name(enum ht_http2_error error)
{
	return (size_t)error < sizeof(errors) / sizeof(errors[0]) ? errors[error].name : "unknown";
}

uint32_t ht_http2_error_code(enum ht_http2_error error)
{
	return (size_t)error < sizeof(errors) / sizeof(errors[0]) ? errors[error].code : PROTOCOL_ERROR;
}

const char *ht_http2_code_name(uint32_t code)
{
	static const char *const names[] = {
		"NO_ERROR",
		"PROTOCOL_ERROR",
		"INTERNAL_ERROR",
		"FLOW_CONTROL_ERROR",
		"SETTINGS_TIMEOUT",
		"STREAM_CLOSED",
		"FRAME_SIZE_ERROR",
		"REFUSED_STREAM",
		"CANCEL",
		"COMPRESSION_ERROR",
		"CONNECT_ERROR",
		"ENHANCE_YOUR_CALM",
		"INADEQUATE_SECURITY",
		"HTTP_1_1_REQUIRED",
	};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}
