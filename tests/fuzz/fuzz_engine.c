/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_engine.c - libFuzzer target: whatever records come, in whatever order, the engine neither crashes nor leaks, and keeps what it promises of requests.
 *
 * In: first byte: bits 0-1 dials option, bit 2 no_redact, bit 3 no_headers, bit 4 a filter, bit 5: the rest is records as in a capture file; else it is a
 * walk: each command one byte and its operands, over a handful of processes, connections, TLS objects and lookups, so that they meet. All goes through
 * decode, as live and in a replay.
 * Held: hooks() only before done(), done() once for each request, none left behind the end; hooks in the order of time; an error exactly where the outcome
 * is neither ok nor unused; none of the tables above its bound.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conn/model.h"
#include "decode/decode.h"
#include "req/request.h"

#define require(claim) ((claim) ? (void)0 : abort())

#define START_NS     1000000000ull
#define CPU_CNT      2
#define REQUEST_MAX  65536
#define RECORD_BYTES 2048

enum { SEEN = 1, DONE = 2 };

struct walk {
	const uint8_t *data;
	size_t len;
	struct ht_decode *decode;
	struct ht_engine *engine;
	uint64_t now_ns;
	uint64_t seq[CPU_CNT];
	uint64_t off[2][8]; /* by direction; connections 0..3, TLS objects 4..7 */
	uint8_t state[REQUEST_MAX];
	unsigned int open_cnt;
	bool is_ended;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what must hold ---- */

static void check(struct walk *walk, struct httptrace_request *request, bool is_done)
{
	uint64_t id = httptrace_request__id(request);
	int64_t former_ns = INT64_MIN;
	enum httptrace_outcome outcome = httptrace_request__outcome(request);
	struct httptrace_timings timings = { .sz = sizeof(timings) };

	for (size_t i = 0; i < httptrace_request__hook_cnt(request); i++) {
		enum httptrace_hook_id hook_id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, i, &hook_id);

		require(hook && hook->mono_ns >= former_ns && hook_id < HTTPTRACE_HOOK_CNT);
		former_ns = hook->mono_ns;
	}
	require(httptrace_request__timings(request, &timings) == 0);
	require(timings.total_ns == HTTPTRACE_UNKNOWN_NS || timings.total_ns >= 0);
	if (is_done) {
		require(outcome != HTTPTRACE_PENDING);
		require(!httptrace_request__error(request) == (outcome == HTTPTRACE_OK || outcome == HTTPTRACE_UNUSED));
		require(outcome != HTTPTRACE_UNUSED || httptrace_request__kind(request) == HTTPTRACE_DIAL);
		require(outcome != HTTPTRACE_GRPC_ERROR || httptrace_request__grpc(request));
		require(!httptrace_request__is_open(request) || outcome == HTTPTRACE_INCOMPLETE);
		/* But of a request that was lost, and its answer was not. */
		require(httptrace_request__kind(request) == HTTPTRACE_WEBSOCKET || ht_request_find_hook(request, HTTPTRACE_GET_CONN, 0) ||
			(httptrace_request__lost(request) && !ht_request_find_hook(request, HTTPTRACE_WROTE_HEADERS, 0)));
		require(!ht_request_find_hook(request, HTTPTRACE_GET_CONN, 1) && !ht_request_find_hook(request, HTTPTRACE_GOT_CONN, 1));
	}
	if (id >= REQUEST_MAX)
		return;
	require(!(walk->state[id] & DONE));
	if (!walk->state[id])
		walk->open_cnt++;
	if (is_done)
		walk->open_cnt--;
	walk->state[id] |= is_done ? DONE | SEEN : SEEN;
}

static void on_hooks(void *ctx, struct httptrace_request *request)
{
	check(ctx, request, false);
}

static void on_done(void *ctx, struct httptrace_request *request)
{
	check(ctx, request, true);
}

static void on_notice(void *ctx, const struct httptrace_notice *notice)
{
	(void)ctx;
	require(notice->kind == HTTPTRACE_NOTICE_LOST ? notice->where != NULL : notice->action && notice->target);
}

static const struct ht_engine_ops engine_ops = { .hooks = on_hooks, .done = on_done, .notice = on_notice };

static void to_record(void *ctx, const struct ht_hdr *rec)
{
	ht_engine_record(((struct walk *)ctx)->engine, rec);
}

static void to_loss_begins(void *ctx, uint64_t from_ns, uint64_t until_ns)
{
	ht_engine_loss_begins(((struct walk *)ctx)->engine, from_ns, until_ns);
}

static void to_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	ht_engine_lost(((struct walk *)ctx)->engine, ts_ns, count, where);
}

static void to_time(void *ctx, uint64_t now_ns)
{
	ht_engine_time(((struct walk *)ctx)->engine, now_ns);
}

static void to_end(void *ctx, uint64_t now_ns)
{
	struct walk *walk = ctx;

	walk->is_ended = true;
	ht_engine_end(walk->engine, now_ns);
}

static const struct ht_decode_ops decode_ops = {
	.record = to_record, .loss_begins = to_loss_begins, .lost = to_lost, .time = to_time, .end = to_end
};

/* ---- the walk ---- */

static uint8_t take(struct walk *walk)
{
	if (!walk->len)
		return 0;
	walk->len--;
	return *walk->data++;
}

static void send(struct walk *walk, struct ht_hdr *hdr, uint16_t kind, size_t size)
{
	static const uint64_t steps_ns[] = { 0,       1,        1000,     10000,     150000,     250000,     1000000,
					     5000000, 10000000, 50000000, 300000000, 1000000000, 61000000000 };
	uint8_t how = take(walk);

	walk->now_ns += steps_ns[(how & 15) % (sizeof(steps_ns) / sizeof(steps_ns[0]))];
	hdr->size = (uint32_t)((size + 7) & ~(size_t)7);
	hdr->kind = kind;
	hdr->cpu = how >> 4 & 1;
	hdr->ts_ns = walk->now_ns;
	hdr->tgid = 100 + (how >> 5 & 1);
	hdr->tid = hdr->tgid + (how >> 6 & 1);
	if (how & 0x80) { /* something about it is unusual */
		uint8_t odd = take(walk);

		hdr->flags |= odd & 1 ? HT_F_FOREIGN : 0;
		hdr->lost = odd & 2 ? 1 : 0;
		walk->seq[hdr->cpu] += odd & 4 ? 3 : 0;
		if (odd & 8)
			hdr->ts_ns -= (uint64_t)(odd >> 4) * 100000;
	}
	hdr->seq = walk->seq[hdr->cpu]++;
	ht_decode_add(walk->decode, hdr);
}

static struct ht_addr addr_of(uint8_t byte)
{
	struct ht_addr addr = { .family = byte & 1 ? HT_AF_INET6 : HT_AF_INET, .port = byte & 2 ? 443 : 80 };

	if (byte & 1) {
		addr.addr[15] = (uint8_t)(1 + (byte >> 2 & 1));
	} else {
		addr.addr[0] = 127;
		addr.addr[3] = (uint8_t)(1 + (byte >> 2 & 3));
	}
	return addr;
}

static void state(struct walk *walk, uint8_t from, uint8_t to)
{
	uint8_t byte = take(walk);
	struct ht_rec_sock_state rec = { .cookie = 1u + (byte & 3), .old_state = from, .new_state = to, .remote = addr_of(byte >> 2) };

	rec.local = rec.remote;
	rec.local.port = byte & 0x80 ? 0 : 40000;
	if (to == HT_TCP_CLOSE)
		rec.err = byte & 0x40 ? 111 : byte & 0x20 ? 110 : 0;
	rec.tx_bytes = walk->off[HT_DIR_TX][byte & 3];
	rec.rx_bytes = walk->off[HT_DIR_RX][byte & 3];
	if (from == HT_TCP_CLOSE)
		walk->off[HT_DIR_TX][byte & 3] = walk->off[HT_DIR_RX][byte & 3] = 0;
	send(walk, &rec.hdr, HT_REC_SOCK_STATE, sizeof(rec));
}

static void any_state(struct walk *walk)
{
	uint8_t byte = take(walk);

	state(walk, 1 + (byte & 15) % 13, 1 + (byte >> 4) % 13);
}

static const char *const phrases[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://b/?token=x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: www.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: a\r\nCookie: a\r\n\r\n",
	"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
	"5\r\nhello\r\n0\r\n\r\n",
	"hello",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\n\r\nhello",
	"HTTP/1.0 204 OK\r\nConnection: keep-alive\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
	"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
	"HTTP/1.1 417 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
	"\x15\x03\x03\x00\x02\x02\x28",
	"SSH-2.0-x y\r\n",
};

/* which: a connection 0..3, a TLS object 4..7. */
static void data(struct walk *walk, bool is_tls, uint8_t dir)
{
	uint8_t byte = take(walk), odd = 0;
	unsigned int which = (byte & 3) + (is_tls ? 4 : 0);
	const char *phrase = phrases[(byte >> 2) % (sizeof(phrases) / sizeof(phrases[0]))];
	uint8_t buf[RECORD_BYTES] __attribute__((aligned(8))) = { 0 };
	struct ht_rec_data *rec = (struct ht_rec_data *)buf;
	size_t len = strlen(phrase);
	uint32_t missing = 0;

	if (byte >> 2 == 17) /* it has zero bytes */
		len = 10;
	else if (byte >> 2 == 18)
		len = 7;
	rec->dir = dir;
	rec->via = is_tls ? HT_VIA_TLS : HT_VIA_SYSCALL;
	rec->tls_id = is_tls ? which - 3 : 0;
	rec->cookie = is_tls ? 0 : which + 1;
	rec->off = walk->off[dir][which];
	if (byte & 0x80)
		odd = take(walk);
	if (odd & 1) { /* raw bytes, or only a part */
		len = take(walk) % 64;
		phrase = (const char *)walk->data;
		if (len > walk->len)
			len = walk->len;
		walk->data += len;
		walk->len -= len;
	} else if (odd & 2) {
		len = take(walk) % (len + 1);
	}
	memcpy(rec + 1, phrase, len);
	if (odd & 4)
		missing = take(walk);
	if (odd & 8)
		rec->off += take(walk) % 16;
	if (odd & 16)
		rec->hdr.flags |= HT_F_HANDSHAKE;
	if (odd & 32)
		rec->stream = take(walk) % 5;
	if (odd & 64 && is_tls)
		rec->cookie = 1u + (take(walk) & 3);
	if (dir == HT_DIR_TX && !(odd & 128))
		rec->start_ns = walk->now_ns;
	rec->captured_len = (uint32_t)len;
	rec->orig_len = (uint32_t)len + missing;
	walk->off[dir][which] = rec->off + rec->orig_len;
	send(walk, &rec->hdr, HT_REC_DATA, sizeof(*rec) + len);
}

static void no_data(struct walk *walk)
{
	static const int errs[] = { 0, 104, 32, 110, 11 };
	uint8_t byte = take(walk);
	struct ht_rec_data rec = { .dir = byte >> 3 & 1, .via = HT_VIA_SYSCALL, .err = errs[(byte >> 4) % 5] };

	rec.hdr.flags = rec.err ? HT_F_FAILED : HT_F_EOF;
	if (!rec.err)
		rec.dir = HT_DIR_RX;
	rec.cookie = 1u + (byte & 3);
	if (byte & 4)
		rec.tls_id = 1u + (byte & 3);
	rec.off = walk->off[rec.dir][(byte & 3) + (byte & 4)];
	send(walk, &rec.hdr, HT_REC_DATA, sizeof(rec));
}

static void unix_connect(struct walk *walk, uint8_t byte)
{
	static const char *const paths[] = { "/run/a.sock", "/run/b.sock", "\0name", "" };
	static const int lens[] = { 11, 11, 5, 0 };
	struct ht_rec_unix_connect rec = { .cookie = 1u + (byte & 3),
					   .err = byte & 0x40 ? 2 : 0,
					   .path_len = (uint16_t)lens[byte >> 4 & 3] };

	rec.start_ns = byte & 0x80 ? 0 : walk->now_ns;
	rec.done_ns = byte & 0x40 || byte & 0x10 ? walk->now_ns : 0;
	memcpy(rec.path, paths[byte >> 4 & 3], rec.path_len);
	walk->off[HT_DIR_TX][byte & 3] = walk->off[HT_DIR_RX][byte & 3] = 0;
	send(walk, &rec.hdr, HT_REC_UNIX_CONNECT, sizeof(rec));
}

static void event(struct walk *walk)
{
	uint8_t byte = take(walk);
	struct ht_rec_sock_event rec = { .cookie = 1u + (byte & 3), .err = byte & 16 ? 110 : 104 };

	if ((byte >> 2 & 3) == 3)
		unix_connect(walk, byte);
	else
		send(walk, &rec.hdr, (uint16_t)(HT_REC_SOCK_ERROR + (byte >> 2 & 3)), sizeof(rec));
}

static void connect_fail(struct walk *walk)
{
	uint8_t byte = take(walk);
	struct ht_rec_connect_fail rec = { .cookie = 1u + (byte & 3),
					   .remote = addr_of(byte >> 2),
					   .err = byte & 0x80 ? 0 : 101,
					   .start_ns = byte & 0x40 ? 0 : walk->now_ns };

	send(walk, &rec.hdr, HT_REC_CONNECT_FAIL, sizeof(rec));
}

static void tls(struct walk *walk)
{
	uint8_t byte = take(walk), more = take(walk);
	struct ht_rec_tls rec = { .tls_id = 1u + (byte & 3), .op = (uint16_t)(1 + (byte >> 2) % 9), .library = HT_TLS_LIB_OPENSSL };

	rec.evidence = more >> 2 & 3;
	rec.cookie = rec.op == HT_TLS_BIND || more & 16 ? 1u + (more & 3) : 0;
	rec.is_server = (more & 0xe0) == 0xe0;
	rec.start_ns = more & 32 ? walk->now_ns : 0;
	rec.err_lib = 20;
	rec.err_reason = more & 64 ? 134 : 0;
	send(walk, &rec.hdr, HT_REC_TLS, sizeof(rec));
}

static void dns(struct walk *walk)
{
	static const char *const hosts[] = { "a", "www.test", "127.0.0.1", "b" };
	static const char *const services[] = { "", "80", "443", "https" };
	uint8_t byte = take(walk), more = take(walk);
	struct ht_rec_dns rec = { .call_id = 1u + (byte & 3), .start_ns = more & 64 ? 0 : walk->now_ns };
	bool is_done = byte & 0x80;

	strcpy(rec.host, hosts[byte >> 2 & 3]);
	rec.host_len = (uint16_t)strlen(rec.host);
	strcpy(rec.service, services[byte >> 4 & 3]);
	rec.service_len = (uint16_t)strlen(rec.service);
	if (is_done && more & 0x80)
		rec.eai = -2;
	else if (is_done)
		for (rec.addr_cnt = 0; rec.addr_cnt < (more & 3); rec.addr_cnt++)
			rec.addrs[rec.addr_cnt] = addr_of((uint8_t)((more >> 2) + rec.addr_cnt));
	rec.addr_total = rec.addr_cnt;
	send(walk, &rec.hdr, is_done ? HT_REC_DNS_DONE : HT_REC_DNS_START, sizeof(rec));
}

static void submit(struct walk *walk)
{
	static const char text[] = ":method"
				   "GET"
				   ":path"
				   "/"
				   "X-A"
				   "b";
	static const uint16_t lens[][2] = { { 7, 3 }, { 5, 1 }, { 3, 1 } };
	uint8_t byte = take(walk);
	struct ht_rec_h2_submit rec = { .session = byte & 3, .stream_id = 1u + 2 * (byte >> 2 & 7), .told_cnt = 1 + (byte >> 5 & 3) % 3 };

	rec.field_cnt = rec.told_cnt + (byte >> 7);
	for (int i = 0; i < rec.told_cnt; i++) {
		rec.lens[i].name = lens[i][0];
		rec.lens[i].value = lens[i][1];
		rec.text_len += (uint32_t)lens[i][0] + lens[i][1];
	}
	memcpy(rec.text, text, rec.text_len);
	send(walk, &rec.hdr, HT_REC_H2_SUBMIT, sizeof(rec));
}

static void proc(struct walk *walk)
{
	uint8_t byte = take(walk);
	struct ht_rec_proc rec = { .op = (uint16_t)(1 + byte % 4), .ppid = 100, .comm = "curl", .exe_len = 4, .exe = "/bin" };

	send(walk, &rec.hdr, HT_REC_PROC, sizeof(rec));
}

static void tick(struct walk *walk)
{
	struct ht_rec_tick rec = { .hdr = { .size = sizeof(rec), .kind = HT_REC_TICK, .ts_ns = walk->now_ns, .cpu = HT_CPU_USER } };

	rec.hdr.seq = take(walk) & 1; /* user records count apart; a gap is a loss */
	ht_decode_add(walk->decode, &rec.hdr);
}

static void step(struct walk *walk)
{
	switch (take(walk) % 24) {
	case 0:
		state(walk, HT_TCP_CLOSE, HT_TCP_SYN_SENT);
		break;
	case 1:
		state(walk, HT_TCP_SYN_SENT, HT_TCP_ESTABLISHED);
		break;
	case 2:
		state(walk, HT_TCP_SYN_SENT, HT_TCP_CLOSE);
		break;
	case 3:
		state(walk, HT_TCP_ESTABLISHED, HT_TCP_ESTABLISHED);
		break;
	case 4:
		state(walk, HT_TCP_ESTABLISHED, HT_TCP_CLOSE_WAIT);
		break;
	case 5:
		state(walk, HT_TCP_ESTABLISHED, HT_TCP_FIN_WAIT1);
		break;
	case 6:
		state(walk, HT_TCP_CLOSE_WAIT, HT_TCP_LAST_ACK);
		break;
	case 7:
		state(walk, HT_TCP_ESTABLISHED, HT_TCP_CLOSE);
		break;
	case 8:
		any_state(walk);
		break;
	case 9:
		connect_fail(walk);
		break;
	case 10:
		event(walk);
		break;
	case 11:
		no_data(walk);
		break;
	case 12:
		dns(walk);
		break;
	case 13:
		proc(walk);
		break;
	case 14:
	case 15:
		tls(walk);
		break;
	case 16:
		tick(walk);
		break;
	case 17:
		data(walk, true, HT_DIR_TX);
		break;
	case 18:
		data(walk, true, HT_DIR_RX);
		break;
	case 19:
	case 20:
	case 21:
		data(walk, false, HT_DIR_TX);
		break;
	case 22:
		submit(walk);
		break;
	default:
		data(walk, false, HT_DIR_RX);
		break;
	}
}

/* Records as they would stand in a capture file. */
static void raw(struct walk *walk)
{
	static uint8_t buf[65536] __attribute__((aligned(8)));

	while (walk->len >= sizeof(struct ht_hdr)) {
		struct ht_hdr *hdr = (struct ht_hdr *)buf;
		size_t size;

		memcpy(buf, walk->data, sizeof(*hdr));
		size = hdr->size;
		if (size < sizeof(*hdr) || size > walk->len || size > sizeof(buf))
			size = walk->len < sizeof(buf) ? walk->len : sizeof(buf);
		memcpy(buf, walk->data, size);
		hdr->size = (uint32_t)size;
		walk->data += size;
		walk->len -= size;
		ht_decode_add(walk->decode, hdr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct walk walk;
	struct ht_engine_opts opts = { 0 };
	struct httptrace_notice summary = { 0 };
	struct ht_rec_config config = { .hdr = { .size = sizeof(config), .kind = HT_REC_CONFIG, .ts_ns = 1, .cpu = HT_CPU_USER } };

	if (!size)
		return 0;
	memset(&walk, 0, sizeof(walk));
	walk.data = input + 1;
	walk.len = size - 1;
	walk.now_ns = START_NS;
	opts.dials = (enum httptrace_dials)((input[0] & 3) % 3);
	opts.no_redact = input[0] & 4;
	opts.no_headers = input[0] & 8;
	config.flags = input[0] & 16 ? HT_CONFIG_FILTERED : 0;
	walk.engine = ht_engine_new(&opts, &engine_ops, &walk);
	walk.decode = ht_decode_new(&decode_ops, &walk, 1 << 20);
	require(walk.engine && walk.decode);
	ht_decode_add(walk.decode, &config.hdr);
	if (input[0] & 32)
		raw(&walk);
	while (walk.len)
		step(&walk);
	ht_decode_flush(walk.decode);
	require(walk.engine->conns.cnt <= HT_MAX_CONNS && walk.engine->procs.cnt <= HT_MAX_PROCS &&
		walk.engine->tls_objects.cnt <= HT_MAX_TLS_OBJECTS);
	ht_engine_end(walk.engine, walk.now_ns);
	require(!walk.open_cnt);
	ht_engine_summary(walk.engine, &summary);
	ht_decode_free(walk.decode);
	ht_engine_free(walk.engine);
	return 0;
}
