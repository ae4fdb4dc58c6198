/* SPDX-License-Identifier: BSD-3-Clause
 * Logs: levels, the journal's form, one line each, repeats.  Each test is a process of its own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/log.h"

static char text[4096];

static void begin(void)
{
	int fd = memfd_create("log", 0);

	unsetenv("JOURNAL_STREAM");
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static const char *written(void)
{
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TestSuite(log, .init = begin);

Test(log, levels)
{
	enum log_level l;

	log_debug("hidden");
	log_info("ip: route %d set", 7);
	log_set_level(LOG_LVL_ERROR);
	log_warn("hidden as well");
	log_error("gone");
	cr_assert_eq(strstr(written(), "hidden"), NULL, "%s", text);
	cr_assert_neq(strstr(text, "Z info ip: route 7 set\n"), NULL, "%s", text);
	cr_assert_neq(strstr(text, "Z error gone\n"), NULL, "%s", text);
	cr_assert_eq(log_level_parse("warn", &l), 0);
	cr_assert_eq(l, LOG_LVL_WARN);
	cr_assert_eq(log_level_parse("loud", &l), -EINVAL);
	cr_assert_eq(l, LOG_LVL_WARN, "untouched");
}

Test(log, for_the_journal)
{
	struct stat st;
	char id[64];

	fstat(STDERR_FILENO, &st);
	snprintf(id, sizeof(id), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", id, 1);
	log_warn("ports: p1 is down");
	cr_assert_str_eq(written(), "<4>ports: p1 is down\n");
}

Test(log, another_stderr_than_the_journals)
{
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_warn("x");
	cr_assert_eq(written()[0], '2', "a time stamp");
}

Test(log, one_line_whatever_a_name_holds)
{
	log_info("port \"%s\" refused", "a\nb\r\x1b[2J");
	cr_assert_neq(strstr(written(), "port \"a b  [2J\" refused\n"), NULL, "%s", text);
	cr_assert_eq(strchr(text, '\n')[1], '\0');
}

Test(log, too_long_is_cut)
{
	log_info("%2000s", "x");
	cr_assert_lt(strlen(written()), 1200);
	cr_assert_eq(text[strlen(text) - 1], '\n');
}

Test(log, repeats_are_counted)
{
	unsigned lines = 0;

	for (unsigned i = 0; i < 50; i++)
		log_warn("the same again");
	log_warn("something else");
	written();
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	cr_assert_eq(lines, 3, "%s", text);
	cr_assert_neq(strstr(text, "(the line above came 49 times more)"), NULL, "%s", text);
}
