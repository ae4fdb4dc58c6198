/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/dp_state.h"

#include <errno.h>
#include <stdlib.h>

struct ask {
	struct ctrl *c;
	struct http_req *req;
	const struct dp_state *s;
};

static struct json_object *list_value(struct ctrl *c, const struct dp_state *s,
				      const struct dp_answer *a)
{
	struct json_object *top, *list;
	void *msg = malloc(s->size);
	size_t off = 0;

	if (msg == NULL)
		return NULL;
	top = json_object_new_object();
	list = json_object_new_array();
	while (dp_answer_next(a, &off, msg, s->size) != NULL)
		json_object_array_add(list, s->entry(c, msg));
	json_object_object_add(top, s->list, list);
	free(msg);
	return top;
}

static void on_answer(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;
	const struct dp_state *s = ask->s;
	struct json_object *value = NULL;

	if (a->error == 0 || s->anyway)
		value = s->entry != NULL ? list_value(ask->c, s, a) : s->value(ask->c, a);
	if (value != NULL)
		restconf_data(ask->req, s->name, value);
	else if (a->error != 0)
		restconf_dp_error(ask->req, a);
	else
		restconf_errorf(ask->req, -ENOMEM, "out of memory");
	free(ask);
}

void dp_state_ask(struct ctrl *c, struct http_req *req, const struct dp_state *s, const void *body,
		  size_t size)
{
	struct ask *ask = malloc(sizeof(*ask));

	if (ask == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*ask = (struct ask){ c, req, s };
	if (s->dump)
		dp_dump(c->dp, s->type, on_answer, ask);
	else
		dp_request(c->dp, s->type, body, size, -1, on_answer, ask);
}

void dp_state_get(struct ctrl *c, struct http_req *req, const struct dp_state *s)
{
	dp_state_ask(c, req, s, NULL, 0);
}

const char *dp_state_name(struct ctrl *c, enum id_space space, uint32_t id)
{
	const char *name = ids_name(c->ids, space, id);

	return name != NULL ? name : "?";
}
