/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf_cond.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctrl/candidate.h"
#include "ctrl/running.h"

const char *restconf_etag(struct ctrl *c, enum datastore ds, char *buf, size_t size)
{
	if (ds == DS_CANDIDATE && candidate_exists(c->candidate))
		snprintf(buf, size, "\"c%llx\"",
			 (unsigned long long)candidate_version(c->candidate));
	else
		snprintf(buf, size, "\"%u-%llx\"", running_revision(c->running),
			 (unsigned long long)running_time(c->running));
	return buf;
}

static time_t last_modified(struct ctrl *c, enum datastore ds)
{
	return ds == DS_CANDIDATE ? candidate_time(c->candidate) : running_time(c->running);
}

void restconf_validators(struct ctrl *c, struct http_req *req, enum datastore ds)
{
	char text[64];
	struct tm tm;
	time_t t = last_modified(c, ds);

	http_set(req, "ETag", restconf_etag(c, ds, text, sizeof(text)));
	if (t == 0)
		return;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	http_set(req, "Last-Modified", text);
}

/* "*", or a list of tags, of which one is ours; weak ones never are, for edits. */
static bool tag_listed(const char *list, const char *tag)
{
	size_t n = strlen(tag);

	for (; *list != '\0'; list++) {
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (strncmp(list, tag, n) == 0)
			return true;
		list += strcspn(list, ",");
		if (*list == '\0')
			return false;
	}
	return false;
}

static bool http_date(const char *text, time_t *ret)
{
	struct tm tm = { 0 };
	const char *end = text != NULL ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;

	if (end == NULL || *end != '\0')
		return false;
	*ret = timegm(&tm);
	return true;
}

/* False, and answered: the client's condition does not hold. */
bool restconf_preconditions(struct ctrl *c, struct http_req *req, enum datastore ds)
{
	const char *match = http_header(req, "If-Match"), *none = http_header(req, "If-None-Match");
	char tag[64];
	time_t t, modified = last_modified(c, ds);
	bool reads = restconf_reads(req);

	restconf_etag(c, ds, tag, sizeof(tag));
	bool stale = match != NULL ?
			     !tag_listed(match, tag) :
			     http_date(http_header(req, "If-Unmodified-Since"), &t) && modified > t;
	if (!reads && none != NULL && tag_listed(none, tag))
		stale = true;
	if (stale) {
		restconf_validators(c, req, ds);
		restconf_errorf(req, -ESTALE,
				"the configuration has changed meanwhile: it is %s now; read it "
				"again",
				tag);
		return false;
	}
	bool same = none != NULL ?
			    tag_listed(none, tag) :
			    http_date(http_header(req, "If-Modified-Since"), &t) && modified <= t;
	if (!reads || !same)
		return true;
	restconf_validators(c, req, ds);
	http_reply(req, 304, NULL, "", 0);
	return false;
}
