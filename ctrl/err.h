/* SPDX-License-Identifier: BSD-3-Clause
 * One error about a configuration: where it is and what is wrong, printed as `file:line: path: message`. */
#ifndef CTRL_ERR_H
#define CTRL_ERR_H

#include <stddef.h>

struct ctrl_err {
	char file[256]; /* name the text came by; empty: not from a text */
	unsigned line;  /* 1-based; 0: unknown */
	char path[512]; /* data path, as in /heddle-interfaces:interfaces/interface[name='eth0']/mtu; may be empty */
	char msg[600]; /* one sentence, no final stop */
	/* RFC 8040 section 7, static; NULL: error-tag as the errno has it, and no error-app-tag */
	const char *tag, *app_tag;
};

/* Fill msg printf-like and return rc; err may be NULL.  Other fields stay. */
int ctrl_fail(struct ctrl_err *err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The whole error in one line, cut to size.  Returns buf. */
const char *ctrl_err_str(const struct ctrl_err *err, char *buf, size_t size);

#endif
