/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_options.c - the command line of a small program: which words are options, values, commands,
 * arguments */
#include "options.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct small_line {
	bool flag, other;
	const char *text;
	char taken[64];
} line;

static int runs;

static const char *take(void *data, const char *value)
{
	struct small_line *l = data;
	size_t n;

	if (strcmp(value, "bad") == 0)
		return "must be good";
	n = strlen(l->taken);
	snprintf(l->taken + n, sizeof(l->taken) - n, "%s;", value);
	return NULL;
}

static int run(void *data)
{
	(void)data;
	runs++;
	return 7;
}

static const struct options_row rows[] = {
	{.name = "flag", .letter = 'f', .help = "-", .offset = offsetof(struct small_line, flag)},
	{.letter = '4', .help = "-", .offset = offsetof(struct small_line, other)},
	{.name = "text",
		.letter = 't',
		.value = "TEXT",
		.help = "-",
		.offset = offsetof(struct small_line, text)},
	{.name = "list", .value = "ITEM", .repeatable = true, .take = take, .help = "-"},
	{0},
};

static const struct options_command plain = {.name = "plain",
					    .rows = rows,
					    .data = &line,
					    .run = run},
				    with_argument = {.name = "group one",
					    .rows = rows,
					    .argument = take,
					    .arguments = "WORD",
					    .data = &line,
					    .run = run},
				    second = {.name = "group two", .data = &line, .run = run};

static const struct options_command *const commands[] = {&plain, &with_argument, &second, NULL};
static const struct options_program program = {
	.name = "small", .version = "1", .about = "About.\n", .commands = commands};

static char complaint[512];

/* Runs the words, which blanks separate and `line` refers to. Returns the status; what was printed
 * to stderr is in `complaint`. */
static int run_words(const char *words)
{
	static char text[256];
	char *rest = text, *argv[32] = {(char[]){"small"}};
	FILE *captured = tmpfile();
	int saved = dup(STDERR_FILENO), argc = 1, status;

	snprintf(text, sizeof(text), "%s", words);
	while (*words && argc < 31 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	memset(&line, 0, sizeof(line));
	runs = 0;
	dup2(fileno(captured), STDERR_FILENO);
	status = options_main(&program, argc, argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(captured);
	complaint[fread(complaint, 1, sizeof(complaint) - 1, captured)] = '\0';
	fclose(captured);
	return status;
}

static void good(const char *words)
{
	ck_assert_msg(
		run_words(words) == 7 && runs == 1 && !complaint[0], "%s: %s", words, complaint);
}

static void bad(const char *words, const char *why)
{
	char want[600];

	snprintf(want, sizeof(want), "small%s\n", why);
	ck_assert_int_eq(run_words(words), OPTIONS_EXIT_USAGE);
	ck_assert_int_eq(runs, 0);
	ck_assert_str_eq(complaint, want);
}

START_TEST(options_are_taken_in_each_form)
{
	static const char *const form[] = {"plain --text x", "plain --text=x", "plain -t x",
		"plain -tx", "plain -ftx", "--text x plain", "-t x plain", "-tx plain",
		"plain -4t x", "-f --text x plain"};

	for (size_t i = 0; i < ARRAY_SIZE(form); i++) {
		good(form[i]);
		ck_assert_str_eq(line.text, "x");
		ck_assert(line.flag == !!strchr(form[i], 'f'));
	}
	good("plain -f -f --flag -4");
	ck_assert(line.flag && line.other);
	good("plain --text=");
	ck_assert_str_eq(line.text, "");
	good("plain --text --flag");
	ck_assert_str_eq(line.text, "--flag");
}
END_TEST

START_TEST(repeatable_options_are_taken_in_their_order)
{
	good("plain --list a --list=b --flag --list c");
	ck_assert_str_eq(line.taken, "a;b;c;");
	bad("plain --text a --text b", " plain: --text \"b\": given twice");
	bad("plain --text a -tb", " plain: -t \"b\": given twice");
}
END_TEST

START_TEST(words_of_a_command_are_not_its_arguments)
{
	good("group one a -f b");
	ck_assert_str_eq(line.taken, "a;b;");
	good("group one -- -f one");
	ck_assert_str_eq(line.taken, "-f;one;");
	ck_assert(!line.flag);
	good("group one -");
	ck_assert_str_eq(line.taken, "-;");
	good("-f group one group");
	ck_assert_str_eq(line.taken, "group;");
	good("group -f one");
	ck_assert(line.flag);
	good("group two");
}
END_TEST

START_TEST(mistakes_are_named)
{
	static const struct {
		const char *words, *why;
	} mistake[] = {
		{"", ": a command is missing, there are plain, group"},
		{"-f", ": a command is missing, there are plain, group"},
		{"group", " group: a command is missing, there are one, two"},
		{"plian", ": unknown command \"plian\", did you mean \"plain\"?"},
		{"other", ": unknown command \"other\", there are plain, group"},
		{"group tow", " group: unknown command \"tow\", there are one, two"},
		{"plain --flga", " plain: unknown option \"--flga\", did you mean \"--flag\"?"},
		{"plain --fl", " plain: unknown option \"--fl\", did you mean \"--flag\"?"},
		{"--flga plain", " plain: unknown option \"--flga\", did you mean \"--flag\"?"},
		{"--tetx x plain", ": unknown option \"--tetx\", did you mean \"--text\"?"},
		{"plain --far", " plain: unknown option \"--far\", see small plain --help"},
		{"plain -x", " plain: unknown option \"-x\", see small plain --help"},
		{"plain -fx", " plain: unknown option \"-x\", see small plain --help"},
		{"group two --flag",
			" group two: unknown option \"--flag\", see small group two --help"},
		{"plain --=x", " plain: unknown option \"--\", see small plain --help"},
		{"plain --text", " plain: --text: needs a value, TEXT"},
		{"plain -t", " plain: -t: needs a value, TEXT"},
		{"plain --flag=x", " plain: --flag: takes no value"},
		{"plain --list bad", " plain: --list \"bad\": must be good"},
		{"plain x", " plain: \"x\": takes no arguments"},
		{"group one bad", " group one: \"bad\": must be good"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistake); i++)
		bad(mistake[i].words, mistake[i].why);
	bad("plain \x1b[1m\n", " plain: \"?[1m?\": takes no arguments");
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		options_are_taken_in_each_form,
		repeatable_options_are_taken_in_their_order,
		words_of_a_command_are_not_its_arguments,
		mistakes_are_named,
	};

	return unit_run("options", test, ARRAY_SIZE(test));
}
