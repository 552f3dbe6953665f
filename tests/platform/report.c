/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c - assertions of the platform programs
 *
 * One line per assertion on stdout, `ok: …` or `WRONG: …`; lines that begin
 * with `#` say what was seen and assert nothing. Does not stop at the first
 * failure: a program shows all that it can learn.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"

static int failures, assertions;

static void say(const char *prefix, const char *fmt, va_list ap)
{
	fputs(prefix, stdout);
	vprintf(fmt, ap);
	putchar('\n');
}

void begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() != 0) {
		puts("# skipped: needs root, to make network namespaces");
		exit(77);
	}
	alarm(WATCHDOG_S);
}

bool check(bool holds, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(holds ? "ok: " : "WRONG: ", fmt, ap);
	va_end(ap);
	assertions++;
	failures += !holds;
	return holds;
}

static const char *err_name(int err)
{
	return err >= 0 ? "success" : strerrorname_np(-err);
}

bool check_err(int got, int want, const char *what)
{
	if (got == want)
		return check(true, "%s: %s", what, err_name(got));
	return check(false, "%s: %s, not %s", what, err_name(got), err_name(want));
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("# ", fmt, ap);
	va_end(ap);
}

void broken(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("BROKEN SET-UP: ", fmt, ap);
	va_end(ap);
	exit(99);
}

int finish(void)
{
	if (assertions == 0)
		broken("nothing was asserted");
	nl_close_all();
	return failures ? 1 : 0;
}
