/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
	uv_work_t work;
	struct ctrl *c;
	struct http_peer peer;
	char url[512];
	http_client_done done;
	void *arg;
	char *data;
	size_t len;
	struct json_object *answer;
	char problem[CURL_ERROR_SIZE];
};

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct job *j = arg;
	size_t len = size * n;

	if (j->len + len > HTTP_CLIENT_MAX)
		return 0;
	char *more = realloc(j->data, j->len + len + 1);
	if (more == NULL)
		return 0;
	j->data = more;
	memcpy(j->data + j->len, data, len);
	j->len += len;
	j->data[j->len] = '\0';
	return len;
}

static void set_tls(CURL *curl, const struct http_peer *p)
{
	if (p->ca_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, p->ca_file);
	if (p->certificate_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_SSLCERT, p->certificate_file);
	if (p->key_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_SSLKEY, p->key_file);
}

static void work(uv_work_t *w)
{
	struct job *j = w->data;
	CURL *curl = curl_easy_init();
	long status = 0;

	if (curl == NULL) {
		snprintf(j->problem, sizeof(j->problem), "out of memory");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, j->url);
	if (j->peer.socket[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, j->peer.socket);
	else
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	set_tls(curl, &j->peer);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)HTTP_CLIENT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, j);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, j->problem);
	CURLcode rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (rc != CURLE_OK) {
		if (j->problem[0] == '\0')
			snprintf(j->problem, sizeof(j->problem), "%s", curl_easy_strerror(rc));
		return;
	}
	j->answer = status == 200 && j->data != NULL ? json_tokener_parse(j->data) : NULL;
	if (j->answer == NULL)
		snprintf(j->problem, sizeof(j->problem), "it answers with status %ld%s", status,
			 status == 200 ? ", but not in JSON" : "");
}

static void after(uv_work_t *w, int status)
{
	struct job *j = w->data;

	if (status != 0)
		snprintf(j->problem, sizeof(j->problem), "stopped");
	j->c->jobs--;
	j->done(j->arg, j->answer, j->problem);
	json_object_put(j->answer);
	free(j->data);
	free(j);
}

int http_client_get(struct ctrl *c, const struct http_peer *peer, const char *path,
		    http_client_done done, void *arg)
{
	static bool ready;
	struct job *j = calloc(1, sizeof(*j));

	if (!ready)
		curl_global_init(CURL_GLOBAL_DEFAULT);
	ready = true;
	if (j == NULL)
		return -ENOMEM;
	*j = (struct job){ .c = c, .peer = *peer, .done = done, .arg = arg };
	snprintf(j->url, sizeof(j->url), "%s%s",
		 peer->socket[0] != '\0' ? "http://heddle" : peer->url, path);
	j->work.data = j;
	if (uv_queue_work(c->loop, &j->work, work, after) != 0) {
		free(j);
		return -ENOMEM;
	}
	c->jobs++;
	return 0;
}
