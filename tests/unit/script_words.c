/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_words.c - the words of a line: numbers, times, addresses, quoted bytes.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script_private.h"

void script_wrong(const struct script *s, const char *what)
{
	fprintf(stderr, "script: %s:", what);
	for (unsigned int i = 0; i < s->word_cnt; i++)
		fprintf(stderr, " %s", s->words[i]);
	fprintf(stderr, "\n");
	abort();
}

bool script_is_word(const struct script *s, unsigned int i, const char *word)
{
	return i < s->word_cnt && !strcmp(s->words[i], word);
}

const char *script_word(const struct script *s, unsigned int i)
{
	if (i >= s->word_cnt)
		script_wrong(s, "a word is missing");
	return s->words[i];
}

uint64_t script_number_of(const struct script *s, const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (!isdigit((unsigned char)text[0]) || *end)
		script_wrong(s, text);
	return n;
}

uint64_t script_number(const struct script *s, unsigned int i)
{
	return script_number_of(s, script_word(s, i));
}

uint64_t script_time_of(const struct script *s, const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name))
			return n * units[i].ns;
	if (n || *end)
		script_wrong(s, text);
	return 0;
}

/* "ECONNREFUSED" or 0 */
int script_errno_of(const struct script *s, const char *name)
{
	for (int err = 1; err < 200; err++)
		if (strerrorname_np(err) && !strcmp(strerrorname_np(err), name))
			return err;
	return (int)script_number_of(s, name);
}

struct ht_addr script_addr_of(const struct script *s, const char *text, bool has_port)
{
	struct ht_addr addr = { .family = HT_AF_INET };
	char host[64];
	const char *colon = has_port ? strrchr(text, ':') : text + strlen(text);

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		script_wrong(s, text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (has_port)
		addr.port = (uint16_t)script_number_of(s, colon + 1);
	if (host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	if (inet_pton(AF_INET, host, addr.addr) == 1)
		return addr;
	addr.family = HT_AF_INET6;
	if (inet_pton(AF_INET6, host, addr.addr) != 1)
		script_wrong(s, text);
	return addr;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Takes the quoted text at p into s->data; what follows it. */
static char *take_quoted(struct script *s, char *p)
{
	s->data_len = 0;
	for (p++; *p && *p != '\''; p++) {
		char c = *p;

		if (c == '~') {
			s->data[s->data_len++] = '\r';
			c = '\n';
		} else if (c == '\\') {
			c = *++p;
			if (c == 'n') {
				c = '\n';
			} else if (c == 'x') {
				c = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
				p += 2;
			}
		}
		s->data[s->data_len++] = c;
	}
	if (!*p)
		script_wrong(s, "a quote is not closed");
	return p + 1;
}

/* Splits s->line into words; a quoted text goes to s->data and counts as the word "'". */
void script_split(struct script *s)
{
	static char quote[] = "'";
	char *p = s->line;

	s->word_cnt = 0;
	s->data_len = 0;
	for (;;) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			return;
		if (s->word_cnt == SCRIPT_WORD_MAX)
			script_wrong(s, "too many words");
		if (*p == '\'') {
			s->words[s->word_cnt++] = quote;
			p = take_quoted(s, p);
			continue;
		}
		s->words[s->word_cnt++] = p;
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (*p)
			*p++ = '\0';
	}
}
