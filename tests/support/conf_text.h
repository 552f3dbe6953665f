/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_text.h - configuration files that the tests write and have read
 *
 * Each is in a folder of its own. Whatever is refused must leave the settings as they were.
 */
#ifndef PASVD_TESTS_CONF_TEXT_H
#define PASVD_TESTS_CONF_TEXT_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_file.h"
#include "unit.h"

enum { REPEATED_MAX = 4096 };

#define SOCKET ": must be a path that begins with / and has at most 107 characters, or nothing"

static const char path[] = "test.conf";
static char error[CONF_FILE_ERROR_MAX];

static inline void write_bytes(const char *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	ck_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

/* In a folder of its own, where the tests are run. */
static inline int read_bytes(const char *bytes, size_t n, struct settings *ret)
{
	char folder[] = "/tmp/check_conf_file.XXXXXX";
	int err;

	ck_assert(mkdtemp(folder) && chdir(folder) == 0);
	write_bytes(bytes, n);
	unit_mark(ret, sizeof(*ret));
	error[0] = '\0';
	err = conf_file_read(path, true, ret, error);
	ck_assert(unlink(path) == 0 && chdir("/") == 0 && rmdir(folder) == 0);
	ck_assert(err ? unit_is_marked(ret, sizeof(*ret)) && error[0] : !error[0]);
	return err;
}

static inline struct settings good(const char *text)
{
	struct settings s;
	int err = read_bytes(text, strlen(text), &s);

	ck_assert_msg(!err, "%s", error);
	return s;
}

static inline void bad(const char *text, const char *want)
{
	struct settings s;
	char whole[CONF_FILE_ERROR_MAX + sizeof(path)];

	ck_assert_int_eq(read_bytes(text, strlen(text), &s), -EINVAL);
	snprintf(whole, sizeof(whole), "%s:%s", path, want);
	ck_assert_str_eq(error, whole);
}

/* Until the next call. */
static inline const char *repeat(const char *text, int times)
{
	static char all[REPEATED_MAX];
	char *p = all;

	ck_assert(strlen(text) * (size_t)times < sizeof(all));
	for (int i = 0; i < times; i++)
		p = stpcpy(p, text);
	return all;
}

#endif
