/* SPDX-License-Identifier: BSD-3-Clause */
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"

struct answer {
	char *data;
	size_t len;
	long status;
	bool (*fn)(void *arg, const void *data, size_t len);
	void (*tick)(void *arg);
	void *arg;
	CURL *curl;
};

int cli_fail(struct cli *cli, int status, const char *fmt, ...)
{
	char text[1600];
	va_list ap;

	if (cli->quiet)
		return status;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!cli->json) {
		fprintf(stderr, "heddle: %s\n", text);
		return status;
	}
	struct json_object *top = json_object_new_object(), *errors = json_object_new_object();
	struct json_object *list = json_object_new_array(), *e = json_object_new_object();
	json_object_object_add(e, "error-type", json_object_new_string("application"));
	json_object_object_add(e, "error-tag", json_object_new_string("operation-failed"));
	json_object_object_add(e, "error-message", json_object_new_string(text));
	json_object_array_add(list, e);
	json_object_object_add(errors, "error", list);
	json_object_object_add(top, "ietf-restconf:errors", errors);
	js_print(top);
	json_object_put(top);
	return status;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t len = size * n;

	if (a->fn != NULL) {
		curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->status);
		if (a->status == 200)
			return a->fn(a->arg, data, len) ? len : 0;
	}
	char *more = realloc(a->data, a->len + len + 1);
	if (more == NULL)
		return 0;
	a->data = more;
	memcpy(a->data + a->len, data, len);
	a->len += len;
	a->data[a->len] = '\0';
	return len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct answer *ans = arg;

	(void)a, (void)b, (void)c, (void)d;
	if (ans->tick != NULL)
		ans->tick(ans->arg);
	return ans->tick == NULL && cli_interrupted;
}

/* Errors of the API: "file:line: path: message". */
static int api_error(struct cli *cli, struct json_object *o, long status)
{
	struct json_object *list = js_get(js_get(o, "ietf-restconf:errors"), "error");
	struct json_object *e = list != NULL ? json_object_array_get_idx(list, 0) : NULL;
	struct json_object *info = js_get(e, "error-info");

	if (cli->quiet)
		return EXIT_ERROR;
	if (e == NULL)
		return cli_fail(cli, EXIT_ERROR, "heddle-ctrl answers with status %ld", status);
	if (cli->json) {
		js_print(o);
		return EXIT_ERROR;
	}
	fprintf(stderr, "heddle: ");
	if (info != NULL && js_str(info, "file")[0] != '\0')
		fprintf(stderr, "%s:", js_str(info, "file"));
	if (js_u64(info, "line") != 0)
		fprintf(stderr, "%llu:", (unsigned long long)js_u64(info, "line"));
	if (info != NULL)
		fprintf(stderr, " ");
	if (js_str(e, "error-path")[0] != '\0')
		fprintf(stderr, "%s: ", js_str(e, "error-path"));
	fprintf(stderr, "%s\n", js_str(e, "error-message"));
	return EXIT_ERROR;
}

static int connect_error(struct cli *cli, CURLcode rc)
{
	if (rc == CURLE_COULDNT_CONNECT && access(cli->socket, W_OK) < 0 && errno == EACCES)
		return cli_fail(cli, EXIT_ERROR,
				"%s: permission denied; use sudo, or join the group that owns it",
				cli->socket);
	if (rc == CURLE_COULDNT_CONNECT)
		return cli_fail(
			cli, EXIT_ERROR,
			"heddle-ctrl does not answer on %s; start it (systemctl start heddle-ctrl, or "
			"heddle-ctrl --config FILE), or name its socket with --socket or HEDDLE_SOCKET",
			cli->socket);
	return cli_fail(cli, EXIT_ERROR, "%s: %s", cli->socket, curl_easy_strerror(rc));
}

static int request(struct cli *cli, const char *method, const char *path, const char *body,
		   struct answer *a, struct json_object **ret)
{
	char url[256];
	CURL *curl = curl_easy_init();
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/yang-data+json");

	if (curl == NULL)
		return cli_fail(cli, EXIT_ERROR, "out of memory");
	snprintf(url, sizeof(url), "http://heddle%s%s", path[0] == '/' ? "" : "/restconf/", path);
	a->curl = curl;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (method != NULL) /* else GET, or POST with a body */
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, a);
	if (body != NULL) {
		headers = curl_slist_append(headers, "Expect:");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	CURLcode rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a->status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);

	int status = 0;
	struct json_object *o = a->data != NULL ? json_tokener_parse(a->data) : NULL;
	if (rc == CURLE_ABORTED_BY_CALLBACK || (rc == CURLE_WRITE_ERROR && a->fn != NULL))
		status = EXIT_ERROR;
	else if (rc != CURLE_OK)
		status = connect_error(cli, rc);
	else if (a->status >= 300)
		status = api_error(cli, o, a->status);
	else if (a->len > 0 && o == NULL)
		status = cli_fail(cli, EXIT_ERROR, "the answer of heddle-ctrl is not JSON");
	free(a->data);
	if (status == 0 && ret != NULL)
		*ret = o;
	else
		json_object_put(o);
	return status;
}

int api_get(struct cli *cli, const char *name, struct json_object **ret)
{
	struct answer a = { 0 };
	char path[200];

	snprintf(path, sizeof(path), "data%s%s", name[0] != '\0' && name[0] != '?' ? "/" : "",
		 name);
	return request(cli, NULL, path, NULL, &a, ret);
}

int api_get_path(struct cli *cli, const char *path, struct json_object **ret)
{
	struct answer a = { 0 };

	return request(cli, NULL, path, NULL, &a, ret);
}

int api_post(struct cli *cli, const char *name, struct json_object *input, struct json_object **ret)
{
	struct answer a = { 0 };
	char path[200], wrap[100];
	struct json_object *top = json_object_new_object();

	snprintf(wrap, sizeof(wrap), "%.*s:input", (int)strcspn(name, ":"), name);
	json_object_object_add(top, wrap, input != NULL ? input : json_object_new_object());
	snprintf(path, sizeof(path), "operations/%s", name);
	int rc = request(cli, NULL, path,
			 json_object_to_json_string_ext(top, JSON_C_TO_STRING_NOSLASHESCAPE), &a,
			 ret);
	json_object_put(top);
	return rc;
}

int api_stream(struct cli *cli, const char *name,
	       bool (*fn)(void *arg, const void *data, size_t len), void (*tick)(void *arg),
	       void *arg)
{
	struct answer a = { .fn = fn, .tick = tick, .arg = arg };
	char path[200];

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "data/", name);
	return request(cli, NULL, path, NULL, &a, NULL);
}

int api_patch(struct cli *cli, const char *path, struct json_object *body)
{
	struct answer a = { 0 };

	return request(cli, "PATCH", path,
		       json_object_to_json_string_ext(body, JSON_C_TO_STRING_NOSLASHESCAPE), &a,
		       NULL);
}
