/* SPDX-License-Identifier: BSD-3-Clause
 * Results as text, Markdown, JSON and JUnit XML. */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "ctrl/xml.h"
#include "tests/conformance/conformance.h"

const char *conf_outcome_text(enum conf_outcome o)
{
	static const char *const text[] = { "pass", "FAIL", "explained", "not run" };

	return text[o];
}

static void count(const struct conf_suite *s, const struct conf_result *r,
		  uint32_t n[CONF_OUTCOMES])
{
	memset(n, 0, CONF_OUTCOMES * sizeof(n[0]));
	for (uint32_t i = 0; i < s->n_rows(); i++)
		n[r[i].outcome]++;
}

void report_text(FILE *f, const struct conf_suite *s, const struct conf_result *r,
		 const char *target, bool all)
{
	uint32_t n[CONF_OUTCOMES];
	struct conf_row row;

	for (uint32_t i = 0; i < s->n_rows(); i++) {
		if (!all && r[i].outcome == CONF_PASS)
			continue;
		s->row(i, &row);
		fprintf(f, "%-9s %-7s %s", conf_outcome_text(r[i].outcome), row.id, row.title);
		if (row.reference[0] != '\0')
			fprintf(f, " (%s)", row.reference);
		fprintf(f, "\n");
		if (r[i].why[0] != '\0')
			fprintf(f, "          %s\n", r[i].why);
		if (r[i].outcome == CONF_FAIL)
			fprintf(f, "          sent:     %s\n          expected: %s\n          %s\n",
				row.sends, row.expects, r[i].said);
	}
	count(s, r, n);
	fprintf(f, "%s against %s: %u passed, %u failed, %u explained, %u not run\n", s->name,
		target, n[CONF_PASS], n[CONF_FAIL], n[CONF_EXPLAINED], n[CONF_NOT_RUN]);
}

/* Text inside a table's cell. */
static void cell(FILE *f, const char *text)
{
	fputc(' ', f);
	for (; *text != '\0'; text++)
		if (*text == '|')
			fputs("\\|", f);
		else
			fputc(*text == '\n' ? ' ' : *text, f);
	fputs(" |", f);
}

void report_markdown(FILE *f, const struct conf_suite *s, const struct conf_result *r,
		     const char *target)
{
	uint32_t n[CONF_OUTCOMES];
	struct conf_row row;

	count(s, r, n);
	fprintf(f,
		"# %s: %s\n\n%u passed, %u failed, %u explained, %u not run. Written by"
		" `heddle-conformance run %s --markdown`.\n\n"
		"| row | what | reference | outcome | why |\n|---|---|---|---|---|\n",
		s->title, target, n[CONF_PASS], n[CONF_FAIL], n[CONF_EXPLAINED], n[CONF_NOT_RUN],
		s->name);
	for (uint32_t i = 0; i < s->n_rows(); i++) {
		s->row(i, &row);
		fputc('|', f);
		cell(f, row.id);
		cell(f, row.title);
		cell(f, row.reference);
		cell(f, conf_outcome_text(r[i].outcome));
		cell(f, r[i].why[0] != '\0' || r[i].outcome != CONF_FAIL ? r[i].why : r[i].said);
		fputc('\n', f);
	}
}

static FILE *open_to(const char *path)
{
	return strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
}

static int close_to(FILE *f)
{
	if (f == stdout)
		return fflush(f) == 0 ? 0 : -errno;
	return fclose(f) == 0 ? 0 : -errno;
}

static void add(json_object *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_object_add(o, key, json_object_new_string(value));
}

int report_json(const char *path, const struct conf_suite *s, const struct conf_result *r,
		const char *target)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	FILE *f = open_to(path);
	uint32_t n[CONF_OUTCOMES];
	struct conf_row row;

	if (f == NULL)
		return -errno;
	count(s, r, n);
	add(o, "format", "heddle-conformance 1");
	add(o, "suite", s->name);
	add(o, "target", target);
	json_object_object_add(o, "passed", json_object_new_int64(n[CONF_PASS]));
	json_object_object_add(o, "failed", json_object_new_int64(n[CONF_FAIL]));
	json_object_object_add(o, "explained", json_object_new_int64(n[CONF_EXPLAINED]));
	json_object_object_add(o, "not_run", json_object_new_int64(n[CONF_NOT_RUN]));
	for (uint32_t i = 0; i < s->n_rows(); i++) {
		json_object *one = json_object_new_object();

		s->row(i, &row);
		add(one, "id", row.id);
		add(one, "title", row.title);
		add(one, "reference", row.reference);
		add(one, "sends", row.sends);
		add(one, "expects", row.expects);
		add(one, "outcome",
		    r[i].outcome == CONF_FAIL ? "fail" : conf_outcome_text(r[i].outcome));
		add(one, "why", r[i].why);
		add(one, "seen", r[i].said);
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "rows", list);
	fprintf(f, "%s\n",
		json_object_to_json_string_ext(o,
					       JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED));
	json_object_put(o);
	return close_to(f);
}

int report_junit(const char *path, const struct conf_suite *s, const struct conf_result *r,
		 const char *target)
{
	FILE *f = open_to(path);
	uint32_t n[CONF_OUTCOMES];
	struct conf_row row;

	if (f == NULL)
		return -errno;
	count(s, r, n);
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"conformance %s ",
		s->name);
	xml_put(f, target);
	fprintf(f, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n", s->n_rows(), n[CONF_FAIL],
		n[CONF_EXPLAINED] + n[CONF_NOT_RUN]);
	for (uint32_t i = 0; i < s->n_rows(); i++) {
		s->row(i, &row);
		fprintf(f, "  <testcase classname=\"conformance.%s\" name=\"%s ", s->name, row.id);
		xml_put(f, row.title);
		fprintf(f, "\" time=\"%.3f\">", r[i].seconds);
		if (r[i].outcome == CONF_FAIL) {
			fprintf(f, "<failure message=\"");
			xml_put(f, row.reference);
			fprintf(f, "\">");
			xml_put(f, r[i].said);
			fprintf(f, "</failure>");
		} else if (r[i].outcome != CONF_PASS) {
			fprintf(f, "<skipped message=\"");
			xml_put(f, r[i].why);
			fprintf(f, "\"/>");
		}
		fprintf(f, "</testcase>\n");
	}
	fprintf(f, "</testsuite>\n");
	return close_to(f);
}
