/* SPDX-License-Identifier: BSD-3-Clause
 * Records fetched from the data plane five times a second, and exported: lines of a file, IPFIX over UDP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cfg.h"
#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/log.h"
#include "ctrl/pm/ioam.h"
#include "ctrl/pm/ipfix.h"
#include "ctrl/running.h"

#define TICK_MS 200u

struct ioam_exported ioam_exported;

static struct {
	struct ctrl *c;
	uv_timer_t timer;
	uv_udp_t udp;
	bool running, asking;
	uint64_t instance, next; /* of the data plane; the record wanted next */
	FILE *file;
	char path[256];
	uint64_t max_octets;
	struct sockaddr_storage to; /* ss_family 0: none */
	struct ipfix ipfix;
} me;

/* ---- the file -------------------------------------------------------------------------------------------------- */

static void file_close(void)
{
	if (me.file != NULL)
		fclose(me.file);
	me.file = NULL;
}

static void file_problem(const char *what)
{
	if (ioam_exported.file_problem[0] == '\0')
		log_error("ioam: %s: %s", me.path, what);
	snprintf(ioam_exported.file_problem, sizeof(ioam_exported.file_problem), "%s", what);
}

/* Open, and a new one when it has become too large. */
static FILE *file_get(void)
{
	char old[sizeof(me.path) + 2];
	struct stat st;

	if (me.path[0] == '\0')
		return NULL;
	if (me.file != NULL && fstat(fileno(me.file), &st) == 0 &&
	    (uint64_t)st.st_size >= me.max_octets) {
		file_close();
		snprintf(old, sizeof(old), "%s.1", me.path);
		if (rename(me.path, old) < 0)
			file_problem(strerror(errno));
	}
	if (me.file == NULL) {
		me.file = fopen(me.path, "ae");
		if (me.file == NULL)
			file_problem(strerror(errno));
		else
			ioam_exported.file_problem[0] = '\0';
	}
	return me.file;
}

/* ---- the collector --------------------------------------------------------------------------------------------- */

static void message_send(void)
{
	uv_buf_t buf;

	buf.len = ipfix_finish(&me.ipfix, (uint32_t)time(NULL));
	buf.base = (char *)me.ipfix.buf;
	if (buf.len == 0)
		return;
	if (uv_udp_try_send(&me.udp, &buf, 1, (const struct sockaddr *)&me.to) < 0)
		ioam_exported.send_errors++;
	else
		ioam_exported.messages++;
	ipfix_next(&me.ipfix);
}

static void message_add(const struct hd_api_ioam_record *r)
{
	if (me.to.ss_family == 0 || ipfix_add(&me.ipfix, r) == 0)
		return;
	message_send();
	ipfix_add(&me.ipfix, r);
}

/* ---- what is configured ---------------------------------------------------------------------------------------- */

static bool config_read_export(void)
{
	const struct lyd_node *top = cfg_top(running_config(me.c->running)->tree, "ioam"),
			      *export = cfg_child(top, "export"),
			      *collector = cfg_child(export, "collector");
	const char *file = cfg_str(export, "file"), *address = cfg_str(collector, "address");
	int port = (int)cfg_u32(collector, "port", 4739);

	if (file == NULL || strcmp(file, me.path) != 0) {
		file_close();
		ioam_exported.file_problem[0] = '\0';
		snprintf(me.path, sizeof(me.path), "%s", file != NULL ? file : "");
	}
	me.max_octets = (uint64_t)cfg_u32(export, "max-size", 64) << 20;
	memset(&me.to, 0, sizeof(me.to));
	if (address != NULL && strchr(address, ':') != NULL)
		uv_ip6_addr(address, port, (struct sockaddr_in6 *)&me.to);
	else if (address != NULL)
		uv_ip4_addr(address, port, (struct sockaddr_in *)&me.to);
	me.ipfix.domain = cfg_u32(collector, "observation-domain", 1);
	return cfg_child(top, "namespace") != NULL;
}

/* ---- records --------------------------------------------------------------------------------------------------- */

static void record(const struct hd_api_ioam_record *r)
{
	struct json_object *o = ioam_record_json(r);
	char **last = &ioam_exported.last[ioam_exported.records % IOAM_LAST];
	FILE *f = file_get();

	free(*last);
	*last = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (f != NULL && *last != NULL && fprintf(f, "%s\n", *last) < 0)
		file_problem(strerror(errno));
	message_add(r);
	ioam_exported.records++;
	if (r->seq > me.next)
		ioam_exported.missed += r->seq - me.next;
	me.next = r->seq + 1;
}

static void on_records(void *arg, const struct dp_answer *a)
{
	struct hd_api_ioam_record r;
	size_t off = 0;

	(void)arg;
	me.asking = false;
	if (a->error != 0 || !me.running)
		return;
	while (dp_answer_next(a, &off, &r, sizeof(r)) != NULL)
		record(&r);
	if (me.file != NULL && fflush(me.file) != 0)
		file_problem(strerror(errno));
	message_send();
}

static void tick(uv_timer_t *t)
{
	const struct hd_api_hello *hello = dp_hello(me.c->dp);

	(void)t;
	if (hello == NULL || me.asking || !config_read_export())
		return;
	if (hello->instance != me.instance) {
		me.instance = hello->instance;
		me.next = 1;
	}
	me.asking = true;
	dp_request(me.c->dp, HD_API_IOAM_READ, &me.next, sizeof(me.next), -1, on_records, NULL);
}

void ioam_start(struct ctrl *c)
{
	memset(&me, 0, sizeof(me));
	me.c = c;
	me.running = true;
	uv_udp_init(c->loop, &me.udp);
	uv_timer_init(c->loop, &me.timer);
	uv_timer_start(&me.timer, tick, TICK_MS, TICK_MS);
}

void ioam_stop(void)
{
	if (!me.running)
		return;
	me.running = false;
	uv_close((uv_handle_t *)&me.timer, NULL);
	uv_close((uv_handle_t *)&me.udp, NULL);
	file_close();
	for (unsigned i = 0; i < IOAM_LAST; i++)
		free(ioam_exported.last[i]);
	memset(&ioam_exported, 0, sizeof(ioam_exported));
}
