/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

struct table {
	const char *const *heads;
	size_t n_cols, n_cells, cap;
	char **cell;
};

struct table *table_new(const char *const *heads)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort(); /* a command line without memory has nothing left to say */
	t->heads = heads;
	while (heads[t->n_cols] != NULL)
		t->n_cols++;
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (t->n_cells == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 2 : 64;
		t->cell = realloc(t->cell, t->cap * sizeof(*t->cell));
		if (t->cell == NULL)
			abort();
	}
	t->cell[t->n_cells++] = text;
}

/* Columns on a terminal: octets that begin a character. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_padded(const char *text, size_t room, bool right, bool last)
{
	int pad = room > width(text) ? (int)(room - width(text)) : 0;

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
}

void table_print(struct cli *cli, struct table *t)
{
	size_t *room = calloc(t->n_cols, sizeof(*room)), last = 0;

	if (room == NULL)
		abort();
	for (size_t i = 0; i < t->n_cells; i++)
		if (width(t->cell[i]) > room[i % t->n_cols])
			room[i % t->n_cols] = width(t->cell[i]);
	for (size_t c = 0; c < t->n_cols; c++) {
		const char *head = t->heads[c] + (t->heads[c][0] == '>');
		if (room[c] == 0)
			continue;
		last = c;
		if (width(head) > room[c])
			room[c] = width(head);
	}
	for (size_t i = 0; t->n_cells > 0 && i < t->n_cells + t->n_cols; i++) {
		size_t c = i % t->n_cols;
		bool head = i < t->n_cols, right = t->heads[c][0] == '>';
		if (c == 0 && head)
			printf("%s", paint(cli, "1"));
		if (room[c] != 0) {
			print_padded(head ? t->heads[c] + right : t->cell[i - t->n_cols], room[c],
				     right, c == last);
			if (c != last)
				printf("  ");
		}
		if (c == t->n_cols - 1)
			printf("%s\n", head ? paint(cli, "0") : "");
	}
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cell[i]);
	free(t->cell);
	free(room);
	free(t);
}

const char *human(double value, const char *unit, char *buf, size_t size)
{
	static const char *const steps[] = { "", "k", "M", "G", "T", "P" };
	size_t i = 0;

	while (value >= 10000 && i < 5) {
		value /= 1000;
		i++;
	}
	snprintf(buf, size,
		 value < 100 && (i > 0 || value != (double)(long)value) ? "%.1f%s%s%s" :
									  "%.0f%s%s%s",
		 value, unit[0] != '\0' || i > 0 ? " " : "", steps[i], unit);
	return buf;
}

const char *paint(const struct cli *cli, const char *sgr)
{
	static char seq[4][12];
	static unsigned next;

	if (!cli->color)
		return "";
	next = (next + 1) % 4;
	snprintf(seq[next], sizeof(seq[next]), "\033[%sm", sgr);
	return seq[next];
}
