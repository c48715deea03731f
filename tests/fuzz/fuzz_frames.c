/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_frames.c - libFuzzer target: what the BPF programs copy of HTTP/2, WebSocket and SOCKS (bpf/http2.bpf.c, bpf/websocket.bpf.c, bpf/proxy.bpf.c, and
 * bpf/payload.bpf.c, which turns from one to another), compiled for user space (programs.h).
 *
 * In: four bytes of settings (settings_of), then a connection: how it begins (HTTP/2 at once, by an upgrade, behind a CONNECT or a SOCKS handshake; a
 * WebSocket; any bytes), then frames of both directions. Whoever says a byte marks it: it has to be copied, must not be, or may be. The connection is
 * cut into calls in four ways; it may be joined late, and calls may have bytes that cannot be read. What must hold:
 *   every call    records' orig_len add up to the call's bytes, offsets follow one another, the captured bytes are the stream's, nothing outside the
 *                 caller's memory is read;
 *   every byte    is copied as it is marked, however the stream is cut;
 *   late, a hole  where the programs take up HTTP/2 again, a frame begins, or what looks like one and leads to one, and the program is the client; from the
 *                 real frame on the marks hold again.
 * With HT_FUZZ_VERBOSE in the environment it tells what it does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "programs.h"

/* What steers the fuzzer is the programs, not the code that watches them. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

#define ONE_BYTE_MOST 3000 /* bytes of a connection that is also cut into single ones */

/* As bpf/http2.bpf.c has them. */
#define COPIED_DATA   256
#define COPIED_PREFIX 16
#define COPIED_GRPC   16384
#define COPIED_BLOCK  65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum mark { MAY, MUST, NEVER };

struct connection {
	struct ht_conversation said;
	uint8_t mark[2][CONVERSATION_MAX_BYTES];
	bool is_begin[2][CONVERSATION_MAX_BYTES + 1]; /* of an HTTP/2 frame, or the stream's end behind one */
	bool is_whole[CONVERSATION_MAX_TURNS];        /* this turn is one call */
	uint32_t opening_cnt;                         /* turns until frames begin */
	uint32_t block_bytes[2];
	bool is_http2;
	bool is_any;  /* bytes without a meaning */
	bool is_text; /* DATA is: zeros and lengths in it might, where a call begins among them, be frames */
};

struct run {
	struct caller caller; /* comes first: what the helpers know */
	const struct connection *con;
	struct ht_flow flow;
	struct ht_scratch *sc;
	uint8_t *captured[2];
	bool is_client;
	bool is_given_up;
	bool is_over;      /* nothing is compared any more */
	bool is_synced[2]; /* the marks hold, from this byte on (BEYOND: where is not known) */
	uint32_t synced_from[2];

	/* The call being made. */
	int dir;
	uint32_t off;
	uint32_t told;
	uint64_t passed[2]; /* as the programs count */
	uint32_t record_cnt;
};

static bool is_verbose;

long bpf_ringbuf_output(void *ringbuf, void *data, __u64 size, __u64 flags)
{
	const uint8_t *bytes = (const uint8_t *)data + sizeof(struct ht_rec_data);
	struct ht_rec_data rec; /* it may begin anywhere */
	struct run *r = (struct run *)now;
	uint32_t at = r->off + r->told;

	(void)flags;
	require(ringbuf == &events && size >= sizeof(rec));
	memcpy(&rec, data, sizeof(rec));
	require(rec.hdr.kind == HT_REC_DATA && rec.hdr.size == size && size == sizeof(rec) + ((rec.captured_len + 7) & ~7U));
	require(rec.dir == r->dir && rec.captured_len <= rec.orig_len && rec.orig_len);
	require(rec.off == r->passed[r->dir] + r->told && r->told + rec.orig_len <= r->sc->total);
	require(!memcmp(bytes, r->con->said.bytes[r->dir] + at, rec.captured_len));
	memset(r->captured[r->dir] + at, 1, rec.captured_len);
	r->told += rec.orig_len;
	if (is_verbose)
		fprintf(stderr, "    record off %llu orig %u captured %u stream %u flags %x\n", (unsigned long long)rec.off, rec.orig_len,
			rec.captured_len, rec.stream, rec.hdr.flags);
	return ++r->record_cnt == r->caller.how->lose_at ? -11 : 0; /* EAGAIN */
}

/* --- what is said ------------------------------------------------------------------------------------------------------------------ */

static void tell(struct connection *con, int dir, const void *data, size_t len, enum mark mark)
{
	uint32_t from = con->said.len[dir];

	say(&con->said, dir, data, len);
	memset(con->mark[dir] + from, mark, con->said.len[dir] - from);
}

static void tell_text(struct connection *con, int dir, const char *text)
{
	tell(con, dir, text, strlen(text), MUST);
}

/* A call of its own. */
static void tell_message(struct connection *con, int dir, const void *data, size_t len, enum mark mark)
{
	con->said.is_break = true;
	tell(con, dir, data, len, mark);
	con->said.is_break = true;
	if (con->said.turn_cnt)
		con->is_whole[con->said.turn_cnt - 1] = true;
}

static void tell_run(struct connection *con, int dir, uint8_t byte, uint32_t len, enum mark mark)
{
	uint8_t bytes[256];
	uint32_t n;

	memset(bytes, byte, sizeof(bytes));
	for (; len; len -= n) {
		n = len < sizeof(bytes) ? len : sizeof(bytes);
		tell(con, dir, bytes, n, mark);
	}
}

static void begin_frame(struct connection *con, int dir)
{
	con->is_begin[dir][con->said.len[dir]] = true;
}

static void tell_header(struct connection *con, int dir, uint32_t len, uint32_t type, uint32_t flags, uint32_t stream)
{
	/* There is room for what the flags say (RFC 9113, 6.1 and 6.2): a length of 0 and a flag for padding may as well be the end of a length, and a type. */
	const uint8_t room = type > 1 || len > 5 ? 0xff : len ? 0xdf : 0xd7;
	const uint8_t header[9] = { len >> 16, len >> 8, len, type, flags & room, stream >> 24, stream >> 16, stream >> 8, stream };

	begin_frame(con, dir);
	tell(con, dir, header, sizeof(header), MUST);
}

/* kind 0: text; 1: zeros, which are gRPC messages; 2: one gRPC message, as long as the payload or longer; 3: several. */
static void tell_data(struct connection *con, int dir, uint32_t len, uint32_t flags, uint32_t stream, uint32_t kind)
{
	uint32_t message = kind == 2 ? len : kind == 3 && len > 8 ? len / 2 - 8 : 0, is_padded = flags >> 3 & 1, at, must;
	uint8_t prefix[6] = { 0, 0, message >> 24, message >> 16, message >> 8, message };

	must = len <= COPIED_DATA ? len : (kind & 1) && len > 32 ? COPIED_PREFIX + COPIED_GRPC : COPIED_PREFIX;
	if (must > len)
		must = len;
	if (len <= COPIED_DATA)
		con->block_bytes[dir] = len; /* it counts, for a CONTINUATION that must not follow */
	tell_header(con, dir, len, 0, flags & 9, stream);
	at = con->said.len[dir];
	if (len < 32 || !kind) {
		tell_run(con, dir, 'x', len, MAY);
	} else {
		tell(con, dir, prefix + !is_padded, 5 + is_padded, MAY);
		tell_run(con, dir, kind == 1 ? 0 : 'm', len - 5 - is_padded, MAY);
	}
	if (at + must > con->said.len[dir])
		must = con->said.len[dir] - at;
	memset(con->mark[dir] + at, MUST, must);
}

/* A block of fields, or what is neither that nor DATA. */
static void tell_block(struct connection *con, int dir, uint32_t len, uint32_t type, uint32_t flags, uint32_t stream, uint32_t kind)
{
	static const char *const first[2][8] = { { "\x82", "\x83", "\x44", "\x04", "\x3f\xe1\x1f\x82", "\x41", "\x20\x87", "x" },
						 { "\x88", "\x48", "\x08", "\x8c", "\x20\x8e", "\x18", "\x3f\x10\x88", "x" } };
	const char *text = first[dir][kind & 7];
	uint32_t used = 0, room;

	if (type != 9)
		con->block_bytes[dir] = 0;
	room = COPIED_BLOCK - con->block_bytes[dir];
	con->block_bytes[dir] += len < room ? len : room;
	tell_header(con, dir, len, type, flags, stream);
	if (type == 1) {
		used = (flags & 8 ? 1 : 0) + (flags & 0x20 ? 5 : 0);
		if (used > len)
			used = len;
		tell_run(con, dir, 0, used, MUST);
		if (len - used > strlen(text)) {
			tell_text(con, dir, text);
			used += (uint32_t)strlen(text);
		}
	}
	len -= used;
	room -= used < room ? used : room;
	tell_run(con, dir, 'x', len < room ? len : room, MUST);
	tell_run(con, dir, 'x', len < room ? 0 : len - room, MAY);
}

static void tell_http2(struct connection *con, int dir, struct ht_fuzz_input *in, uint32_t how)
{
	static const uint8_t fixed[10] = { 0, 1, 5, 4, 0, 0, 8, 0, 4, 0 };
	static const uint8_t flags[10] = { 0x9, 0x2d, 0, 0, 0, 0xc, 1, 0, 0, 4 };
	uint32_t type = next8(in), bits = next8(in), len;

	switch (how & 7) {
	case 0:
	case 1:
		tell_data(con, dir, next_size(in), bits, 1 + 2 * (bits >> 4), con->is_text ? 0 : type & 3);
		return;
	case 2:
	case 3:
		tell_block(con, dir, 16 + next_size(in), type & 1 ? 1 : 9, bits & (type & 1 ? 0x2d : 4), 1 + 2 * (bits >> 6), type >> 1);
		return;
	case 4:
		type %= 10;
		len = type == 4 ? 6 * (bits & 7) : type == 7 ? 8 + bits : fixed[type];
		if (type == 4)
			bits = len ? 0 : bits;
		tell_block(con, dir, len, type, bits & flags[type], type == 4 || type == 6 || type == 7 ? 0 : 3, type == 1 ? 7 : 0);
		return;
	case 5:
		len = next_size(in);
		tell_block(con, dir, len < 16384 ? len : 16384, 10 + (type & 63), bits, bits, 0);
		return;
	default:
		tell_block(con, dir, 4, 8, 0, bits & 1, 0);
		return;
	}
}

static void tell_websocket(struct connection *con, int dir, struct ht_fuzz_input *in, uint32_t how, bool is_first)
{
	bool is_control = !is_first && how & 1;
	uint32_t len = is_control ? next8(in) % 126 : next_size(in), n = 2,
		 opcode = is_control ? 8 + (how >> 1) % 3
			  : is_first ? 1
				     : (how >> 1) % 3;
	uint8_t header[14] = { (uint8_t)((is_control || how & 8 ? 0x80 : 0) | (how & 16 && !is_control ? 0x40 : 0) | opcode) };

	if (len < 126) {
		header[1] = (uint8_t)len;
	} else if (!(how & 32)) {
		header[1] = 126;
		header[2] = (uint8_t)(len >> 8);
		header[3] = (uint8_t)len;
		n = 4;
	} else {
		header[1] = 127;
		header[8] = (uint8_t)(len >> 8);
		header[9] = (uint8_t)len;
		n = 10;
	}
	if (dir == SAYS_CLIENT) {
		header[1] |= 0x80;
		memset(header + n, 0x5a, 4);
		n += 4;
	}
	tell(con, dir, header, n, MUST);
	tell_run(con, dir, 'w', len, is_control ? MUST : MAY);
}

#define TELL_MESSAGE(dir, text, mark) tell_message(con, dir, text, sizeof(text) - 1, mark)

/* How it begins. */
static void tell_opening(struct connection *con, uint32_t how)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	con->is_http2 = true;
	switch (how & 7) {
	case 1:
	case 2:
		tell_text(con, SAYS_CLIENT, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
		tell_text(con, SAYS_SERVER, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
		if ((how & 7) == 2) {
			con->is_http2 = false;
			con->opening_cnt = con->said.turn_cnt;
			return;
		}
		break;
	case 3:
		tell_text(con, SAYS_CLIENT, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
		tell_text(con, SAYS_SERVER, "HTTP/1.1 200 OK\r\n\r\n");
		break;
	case 4:
		TELL_MESSAGE(SAYS_CLIENT, "\5\2\0\2", MUST);
		TELL_MESSAGE(SAYS_SERVER, "\5\2", MUST);
		TELL_MESSAGE(SAYS_CLIENT, "\1\4user\6secret", NEVER);
		TELL_MESSAGE(SAYS_SERVER, "\1\0", MUST);
		TELL_MESSAGE(SAYS_CLIENT, "\5\1\0\3\4host\0\120", MUST);
		tell_text(con, SAYS_SERVER, "\5");
		tell(con, SAYS_SERVER, "\0\0\1\0\0\0\0\0\0", 9, MUST);
		break;
	case 5:
		TELL_MESSAGE(SAYS_CLIENT, "\4\1\0\120\0\0\0\1\0host\0", MUST);
		tell(con, SAYS_SERVER, "\0\132\0\0\0\0\0\0", 8, MUST);
		break;
	case 6:
		TELL_MESSAGE(SAYS_CLIENT, "\5\1\0\5\1\0\1\177\0\0\1\0\120", MUST);
		tell(con, SAYS_SERVER, "\5\0\5\0\0\1\0\0\0\0\0\0", 12, MUST);
		break;
	case 7:
		con->is_http2 = false;
		con->is_any = true;
		return;
	default:
		break;
	}
	if (how & 8) {
		con->said.is_break = how & 16;
		tell_block(con, SAYS_SERVER, 6, 4, 0, 0, 0);
	}
	begin_frame(con, SAYS_CLIENT);
	tell_text(con, SAYS_CLIENT, preface);
	tell_block(con, SAYS_CLIENT, 12, 4, 0, 0, 0);
	con->opening_cnt = con->said.turn_cnt;
}

static void connect_them(struct connection *con, struct ht_fuzz_input *in)
{
	bool is_first[2] = { true, true };
	int dir = SAYS_CLIENT;
	uint32_t op, n;

	con->said.len[0] = con->said.len[1] = con->said.turn_cnt = 0;
	con->said.is_break = false;
	con->opening_cnt = con->block_bytes[0] = con->block_bytes[1] = 0;
	con->is_any = false;
	memset(con->is_begin, 0, sizeof(con->is_begin));
	memset(con->is_whole, 0, sizeof(con->is_whole));
	tell_opening(con, next8(in));
	while (in->len && con->said.turn_cnt < CONVERSATION_MAX_TURNS && con->said.len[0] < CONVERSATION_MAX_BYTES &&
	       con->said.len[1] < CONVERSATION_MAX_BYTES) {
		op = next8(in);
		if (op >> 6 == 3) {
			dir = !dir;
			con->said.is_break = op & 1;
		} else if (con->is_any) {
			n = op < in->len ? op : (uint32_t)in->len;
			tell(con, dir, in->data, n, MAY);
			in->data += n;
			in->len -= n;
		} else if (con->is_http2) {
			tell_http2(con, dir, in, op);
			begin_frame(con, dir);
		} else {
			tell_websocket(con, dir, in, op, is_first[dir]);
			is_first[dir] = false;
		}
	}
}

/* --- a call ------------------------------------------------------------------------------------------------------------------------ */

#define BEYOND UINT32_MAX

/*
 * Frames are taken up at that offset of a call: from where on they are the stream's own. Inside a frame, bytes that are zero or small may look like another
 * one's header, DATA's most of all, and lead to a real one by chance, or, if they are DATA's alone, beyond the call: the programs cannot tell. User space,
 * which is the judge, believes none that begin with DATA (http2_frame.c).
 */
static uint32_t taken_up_at(const struct connection *con, int dir, uint32_t off, uint32_t end)
{
	const uint8_t *bytes = con->said.bytes[dir];
	bool is_data = true;

	while (off > end || !con->is_begin[dir][off]) {
		if (off + 9 > end) {
			require(is_data);
			return BEYOND;
		}
		is_data = is_data && !bytes[off + 3];
		off += 9 + (bytes[off] << 16 | bytes[off + 1] << 8 | bytes[off + 2]);
	}
	return off;
}

static void check(struct run *r, uint32_t len, bool was_quiet)
{
	const struct connection *con = r->con;
	const struct ht_stream *st = r->dir == HT_DIR_TX ? &r->flow.tx : &r->flow.rx;
	uint32_t i;

	for (i = r->off; i < r->off + len; i++)
		require(con->mark[r->dir][i] != NEVER || !r->captured[r->dir][i]);
	if (r->is_over || r->caller.is_exhausted || con->is_any || was_quiet)
		return;
	/* A hole, in what is not HTTP/2, or not yet: nothing more is asked. */
	if (r->sc->no_buf && r->flow.kind != HT_STREAM_HTTP2)
		r->is_over = true;
	if (r->is_over)
		return;
	if (r->flow.kind == HT_STREAM_HTTP2 && st->mode != HT_MODE_HEAD) {
		require(r->sc->no_buf || !r->is_synced[r->dir] || r->synced_from[r->dir] == BEYOND);
		r->is_synced[r->dir] = false;
	} else if (r->flow.kind == HT_STREAM_HTTP2 && !r->is_synced[r->dir]) {
		r->synced_from[r->dir] = taken_up_at(con, r->dir, r->off, r->off + len);
		r->is_synced[r->dir] = true;
	}
	if (!r->is_synced[r->dir] || r->synced_from[r->dir] == BEYOND || r->sc->no_buf)
		return;
	for (i = r->off; i < r->off + len; i++)
		require(con->mark[r->dir][i] != MUST || r->captured[r->dir][i] || i < r->synced_from[r->dir]);
	require(!r->flow.quiet);
}

static void call(struct run *r, int dir, uint32_t off, uint32_t len, bool is_opening)
{
	static const uint8_t leftovers[] = { 0, 5, 0x82, 0xff };
	struct ht_stream *st = dir == HT_DIR_TX ? &r->flow.tx : &r->flow.rx;
	const uint8_t *data = r->con->said.bytes[dir] + off;
	struct ht_scratch *sc = r->sc;
	bool was_quiet = r->flow.quiet;
	__u64 iov[2 * MAX_PIECES];
	int says = HT_SAYS_NOTHING;

	if (len > 64 || !random_below(&r->caller, 64))
		memset(sc, leftovers[random_below(&r->caller, 4)], sizeof(*sc));
	r->dir = dir;
	r->off = off;
	r->told = 0;
	memset(sc, 0, offsetof(struct ht_scratch, carry)); /* the caller's part */
	sc->total = len;
	sc->dir = (__u8)dir;
	sc->no_buf = r->caller.how->has_holes && !is_opening && !random_below(&r->caller, 12);
	sc->strict = r->is_client;
	sc->is_client = r->is_client;
	place(&r->caller, sc, data, len, iov);
	if (is_verbose)
		fprintf(stderr, "  call dir %d [%u, %u) kind %u mode %u%s%s\n", dir, off, off + len, r->flow.kind, st->mode,
			sc->no_buf ? " hole" : "", sc->iov_cnt ? " iovec" : "");
	for (uint32_t i = 0; is_verbose && i < len && i < 48; i++)
		fprintf(stderr, "%s%02x%s", i ? "" : "    ", data[i], i + 1 < len && i < 47 ? " " : "\n");
	if (ht_is_undecided(&r->flow)) {
		says = ht_decide(sc, &r->flow, st);
		if (!r->is_client) {
			require(!r->con->is_http2 || says != HT_SAYS_SERVER);
			r->is_given_up = says == HT_SAYS_SERVER || (says == HT_SAYS_NOTHING && r->flow.undecided >= HT_UNDECIDED_MAX);
			r->is_client = says == HT_SAYS_CLIENT || says == HT_SAYS_HELLO;
		}
	}
	if (r->is_client) {
		ht_deliver(sc, &r->flow, st);
		require(r->told == (was_quiet ? 0 : len));
		check(r, len, was_quiet);
	} else {
		st->off += len;
	}
	r->passed[dir] += len;
	require(st->off == r->passed[dir]);
}

/* --- runs -------------------------------------------------------------------------------------------------------------------------- */

static void run(const struct connection *con, const struct settings *how, enum cut cut)
{
	const struct ht_conversation *said = &con->said;
	struct run r = {
		.con = con,
		.is_client = !how->is_late,
		.is_synced = { !how->is_late, !how->is_late },
	};
	uint32_t i = how->is_late ? con->opening_cnt : 0, off, n;
	int dir;

	if (is_verbose)
		fprintf(stderr, "cut %d%s\n", cut, how->is_late ? ", late" : "");
	r.sc = calloc(1, sizeof(*r.sc));
	for (dir = 0; dir < 2; dir++)
		r.captured[dir] = calloc(1, said->len[dir] + 1);
	require(r.sc && r.captured[0] && r.captured[1]);
	begin_calls(&r.caller, how);
	for (; i < said->turn_cnt && !r.is_given_up; i++)
		for (off = 0; off < said->turn[i].len && !r.is_given_up; off += n) {
			n = con->is_whole[i] ? said->turn[i].len : piece_of(&r.caller, cut, said->turn[i].len - off);
			call(&r, said->turn[i].dir, said->turn[i].off + off, n, i < con->opening_cnt);
		}
	now = NULL;
	free(r.captured[0]);
	free(r.captured[1]);
	free(r.sc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct connection con;
	struct ht_fuzz_input in = { data, size };
	uint32_t bits;
	struct settings how = settings_of(&in, &bits);
	enum cut cut;

	how.head_bytes = bits & 1 ? 2048 : 16384;
	how.is_late = (bits & 6) == 6;
	is_verbose = getenv("HT_FUZZ_VERBOSE");
	con.is_text = how.is_late || how.has_holes || how.fault_at;
	connect_them(&con, &in);
	for (cut = CUT_TURNS; cut < CUT_CNT; cut++)
		if (cut != CUT_BYTES || con.said.len[0] + con.said.len[1] <= ONE_BYTE_MOST)
			run(&con, &how, cut);
	return 0;
}

#pragma clang attribute pop
