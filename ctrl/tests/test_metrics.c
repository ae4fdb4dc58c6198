/* SPDX-License-Identifier: BSD-3-Clause
 * /metrics from a statistics segment made here: the series there are, their bound, and that no slice is long. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/config.h"
#include "ctrl/dp.h"
#include "ctrl/ids.h"
#include "ctrl/metrics.h"
#include "ctrl/object_drops.h"
#include "ctrl/running.h"
#include "ctrl/tests/fixture.h"

TestSuite(metrics, .init = fixture_init, .fini = fixture_fini, .timeout = 60);

static double cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The whole text; to be freed. */
static char *scrape(bool open, unsigned *ret_slices)
{
	struct metrics *m = metrics_begin(&c, open);
	char *text = calloc(1, 1), buf[16384];
	size_t len = 0;
	ssize_t n;

	*ret_slices = 0;
	while ((n = metrics_next(m, buf, sizeof(buf))) >= 0) {
		cr_assert_lt((size_t)n, sizeof(buf));
		++*ret_slices;
		text = realloc(text, len + (size_t)n + 1);
		memcpy(text + len, buf, (size_t)n);
		len += (size_t)n;
		text[len] = '\0';
	}
	cr_assert_eq(n, -1);
	metrics_end(m);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

Test(metrics, without_a_data_plane)
{
	unsigned slices;
	char *text = scrape(true, &slices);

	cr_assert_not_null(strstr(text, "heddle_dataplane_connected 0\n"), "%s", text);
	cr_assert_null(strstr(text, "heddle_sid"));
	cr_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
	free(text);
	text = scrape(false, &slices);
	cr_assert_null(strstr(text, "# EOF"));
	cr_assert_not_null(strstr(text, "# TYPE heddle_reconciles_total counter"));
	free(text);
}

Test(metrics, rows_have_their_names)
{
	unsigned slices;

	connect_dp();
	char *text = scrape(true, &slices);
	cr_assert_not_null(strstr(text, "heddle_punt_packets_total{reason=\"arp\"} 7\n"), "%s",
			   text);
	cr_assert_not_null(strstr(text, "# TYPE heddle_punt_packets counter\n"));
	cr_assert_not_null(strstr(text, "heddle_dataplane_connected 1\n"));
	free(text);
}

/* 100 000 SIDs: the first 1024 by name, the others in one, nothing lost; no slice takes long. */
Test(metrics, many_objects_few_series)
{
	unsigned slices;
	char name[40];

	for (unsigned i = 1; i <= FAKE_SIDS - 1; i++) {
		snprintf(name, sizeof(name), "fc00:%x:%x::/64", i >> 16, i & 0xffff);
		cr_assert_eq(ids_get(c.ids, ID_SID, name), i);
	}
	connect_dp();
	double before = cpu_now();
	char *text = scrape(true, &slices);
	double took = cpu_now() - before;
	cr_log_info("%u SIDs: %zu octets in %u slices, %.1f ms of CPU", FAKE_SIDS, strlen(text),
		    slices, took * 1e3);
	if (getenv("HEDDLE_PRINT") != NULL)
		fprintf(stderr, "%u SIDs: %zu octets in %u slices, %.1f ms of CPU\n", FAKE_SIDS,
			strlen(text), slices, took * 1e3);
	cr_assert_eq(count(text, "heddle_sid_packets_total{"), 1025);
	cr_assert_eq(count(text, "heddle_sid_octets_total{"), 1025);
	/* each row of the mock holds its number, once a slice */
	const char *other = strstr(text, "heddle_sid_packets_total{sid=\"_other\"} ");
	unsigned long long want = 0;
	for (unsigned long long row = 1025; row < FAKE_SIDS; row++)
		want += row * FAKE_SLICES;
	cr_assert_not_null(other);
	cr_assert_eq(strtoull(strchr(other, ' ') + 1, NULL, 10), want);
	cr_assert_gt(slices, FAKE_SIDS / 4096, "rows are looked at in slices");
	free(text);
}

/* Names are free text: what would end a label is escaped. */
Test(metrics, labels_are_escaped)
{
	unsigned slices;

	cr_assert_eq(ids_get(c.ids, ID_SID, "a\"b\\c\nd"), 1);
	connect_dp();
	char *text = scrape(true, &slices);
	cr_assert_not_null(strstr(text, "{sid=\"a\\\"b\\\\c\\nd\"} 2\n"), "%s", text);
	free(text);
}

/* Drops of 3000 SIDs, counted by two workers: the first 1024 by object and reason, the rest in one series. */
Test(metrics, drops_by_object)
{
	unsigned slices;
	char name[40];

	for (unsigned i = 1; i <= FAKE_DROPS; i++) {
		snprintf(name, sizeof(name), "fc00::%x/128", i);
		cr_assert_eq(ids_get(c.ids, ID_SID, name), i);
	}
	connect_dp();
	char *text = scrape(true, &slices);
	cr_assert_eq(count(text, "# TYPE heddle_sid_drop_packets counter\n"), 1);
	cr_assert_eq(count(text, "# TYPE heddle_sid_drop_octets counter\n"), 1);
	cr_assert_not_null(strstr(text, "heddle_sid_drop_packets_total{sid=\"fc00::7/128\","
					"node=\"srv6-endpoint\",reason=\"bad-list\"} 14\n"),
			   "%s", text);
	cr_assert_not_null(strstr(text, "heddle_sid_drop_octets_total{sid=\"fc00::8/128\","
					"node=\"srv6-endpoint\",reason=\"hop-limit\"} 1600\n"));
	cr_assert_eq(count(text, "heddle_sid_drop_packets_total{"), 1025);
	cr_assert_eq(count(text, "heddle_sid_drop_octets_total{"), 1025);
	const char *other = strstr(text, "heddle_sid_drop_packets_total{sid=\"_other\"");
	unsigned long long want = 0;
	for (unsigned long long i = 1025; i <= FAKE_DROPS; i++)
		want += i * FAKE_SLICES;
	cr_assert_not_null(other);
	cr_assert_eq(strtoull(strchr(other, ' ') + 1, NULL, 10), want);
	cr_assert_not_null(strstr(text, "heddle_object_drop_rest_packets_total 10\n"));
	cr_assert_null(strstr(text, "heddle_object_drop_key"), "the table is no counter");
	free(text);
}

Test(metrics, drops_of_one_object)
{
	struct object_drops drops;
	struct json_object *o = json_object_new_object();

	connect_dp();
	object_drops_read(c.dp, &drops);
	cr_assert_eq(drops.n, FAKE_DROPS);
	json_add_drops(o, c.dp, &drops, "sid", 40);
	cr_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			 "{\"dropped\":[{\"node\":\"srv6-endpoint\",\"reason\":\"hop-limit\","
			 "\"packets\":\"80\",\"octets\":\"8000\"}]}");
	json_add_drops(o, c.dp, &drops, "sid", FAKE_DROPS + 1);
	cr_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			 "{\"dropped\":[]}");
	object_drops_free(&drops);
	json_object_put(o);
}
