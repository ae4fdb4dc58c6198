/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/err.h"

#include <stdarg.h>
#include <stdio.h>

int ctrl_fail(struct ctrl_err *err, int rc, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return rc;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return rc;
}

const char *ctrl_err_str(const struct ctrl_err *err, char *buf, size_t size)
{
	char line[16] = "";

	if (err->line != 0)
		snprintf(line, sizeof(line), "%s%u", err->file[0] != '\0' ? ":" : "line ",
			 err->line);
	snprintf(buf, size, "%s%s%s%s%s%s", err->file, line,
		 err->file[0] != '\0' || err->line != 0 ? ": " : "", err->path,
		 err->path[0] != '\0' ? ": " : "", err->msg);
	return buf;
}
