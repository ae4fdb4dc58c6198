/* SPDX-License-Identifier: BSD-3-Clause
 * Lines of /metrics. */
#include <stdarg.h>
#include <stdio.h>

#include "ctrl/metrics_private.h"

void metrics_put(struct metrics_out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(o->buf + o->len, o->size - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n < o->size - o->len ? (size_t)n : o->size - o->len - 1;
}

const char *metrics_name(const char *text, size_t len, char buf[64])
{
	size_t n = 0;

	for (; n < len && n < 63 && text[n] != '\0'; n++) {
		char c = text[n];
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		buf[n] = ok ? c : '_';
	}
	buf[n] = '\0';
	return buf;
}

const char *metrics_label(const char *text, size_t len, char buf[260])
{
	size_t n = 0;

	for (size_t i = 0; i < len && text[i] != '\0' && n < 256; i++) {
		char c = text[i];
		if (c == '\\' || c == '"' || c == '\n')
			buf[n++] = '\\';
		buf[n++] = c == '\n' ? 'n' : c;
	}
	buf[n] = '\0';
	return buf;
}

void metrics_counter_head(struct metrics_out *o, bool open, const char *name, const char *help)
{
	const char *total = open ? "" : "_total";

	metrics_put(o, "# HELP %s%s %s\n# TYPE %s%s counter\n", name, total, help, name, total);
}
