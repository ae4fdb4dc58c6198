/* SPDX-License-Identifier: BSD-3-Clause
 * Leveled logs of the data plane's control threads; never called by a worker.
 * One line each, "area: what happened (why)", to stderr (journald adds the time) with a <N> priority prefix
 * when stderr is the journal, else with a time stamp. */
#ifndef DATAPLANE_LOG_H
#define DATAPLANE_LOG_H

enum log_level { LOG_LVL_ERROR = 3, LOG_LVL_WARN = 4, LOG_LVL_INFO = 6, LOG_LVL_DEBUG = 7 };

void log_set_level(enum log_level level);
int log_level_parse(const char *text, enum log_level *ret); /* "error" ... "debug"; -EINVAL */
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_LVL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LVL_DEBUG, __VA_ARGS__)

#endif
