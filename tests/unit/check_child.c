/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_child.c - other programs are run to their end, or are ended */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "unit.h"

static struct output o;

static int shell(const char *command, const char *input)
{
	return run((const char *const[]){"sh", "-c", command, NULL}, input, &o);
}

static void done(void)
{
	free(o.text);
	o.text = NULL;
}

START_TEST(output_and_status_come_back)
{
	ck_assert_int_eq(
		shell("echo one; echo two; echo wrong >&2; echo more >&2; exit 3", NULL), 3);
	ck_assert_str_eq(o.text, "one\ntwo\n");
	ck_assert_uint_eq(o.len, 8);
	ck_assert_str_eq(o.complaint, "wrong");
	done();
	ck_assert_int_eq(shell("echo '# Warning' >&2; echo '# more' >&2; echo wrong >&2", NULL), 0);
	ck_assert_str_eq(o.complaint, "wrong");
	done();
	ck_assert_int_eq(shell("echo '# Warning' >&2", NULL), 0);
	ck_assert_str_eq(o.complaint, "");
	done();
}
END_TEST

START_TEST(output_is_text_even_if_there_is_none)
{
	ck_assert_int_eq(shell(":", NULL), 0);
	ck_assert_str_eq(o.text, "");
	ck_assert_str_eq(o.complaint, "");
	done();
}
END_TEST

START_TEST(input_is_handed_over_whole)
{
	enum { LONG = 1 << 20 };
	char *text = malloc(LONG + 1);

	memset(text, 'x', LONG);
	text[LONG] = '\0';
	ck_assert_int_eq(shell("cat; cat >&2", text), 0);
	ck_assert_str_eq(o.text, text);
	done();
	ck_assert_int_eq(shell("cat", NULL), 0);
	ck_assert_str_eq(o.text, "");
	done();
	free(text);
}
END_TEST

START_TEST(program_that_is_not_there)
{
	ck_assert_int_eq(
		run((const char *const[]){"no-such-program-of-pasvd", NULL}, NULL, &o), -ENOENT);
	ck_assert_ptr_null(o.text);
	ck_assert_str_eq(o.complaint, "No such file or directory");
}
END_TEST

START_TEST(program_that_a_signal_ends)
{
	ck_assert_int_eq(shell("echo; kill -KILL $$", NULL), -EINTR);
	ck_assert_ptr_null(o.text);
}
END_TEST

START_TEST(status_comes_back_to_who_was_started_without_sigchld)
{
	signal(SIGCHLD, SIG_IGN);
	ck_assert_int_eq(shell("exit 3", NULL), 3);
	done();
}
END_TEST

START_TEST(who_says_too_much_is_ended)
{
	ck_assert_int_eq(shell("exec yes", NULL), -E2BIG);
	ck_assert_ptr_null(o.text);
	ck_assert_str_eq(o.complaint, strerror(E2BIG));
}
END_TEST

START_TEST(words_are_not_for_a_shell)
{
	ck_assert_int_eq(
		run((const char *const[]){"echo", "$(reboot)", ";", "a  b", NULL}, NULL, &o), 0);
	ck_assert_str_eq(o.text, "$(reboot) ; a  b\n");
	done();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {output_and_status_come_back,
		output_is_text_even_if_there_is_none, input_is_handed_over_whole,
		program_that_is_not_there, program_that_a_signal_ends,
		status_comes_back_to_who_was_started_without_sigchld, who_says_too_much_is_ended,
		words_are_not_for_a_shell};

	return unit_run("run", tests, ARRAY_SIZE(tests));
}
