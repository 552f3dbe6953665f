/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_check.c - `pasvd rules --check`
 *
 * What is loaded is the business of one program, the one that loads it.
 */
#include "rules_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EXTRA_WORDS = 7, /* the loader, check, --config and --queue with their values, NULL */
	NUMBER_LEN = 6,  /* "65535" and its NUL */
};

static int rules_check_fail(const char *what)
{
	fprintf(stderr, "pasvd rules: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

/* This program's own path; the loader has to ask the same one for the rules. */
static int rules_check_find_self(char ret_path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret_path, PATH_MAX - 1);

	if (n < 0)
		return -1;
	ret_path[n] = '\0';
	return setenv("PASVD", ret_path, 1);
}

/* The one that is installed beside us, or that of the tree in which we were built. */
static void rules_check_find_loader(const char *self, char ret_path[PATH_MAX])
{
	static const char *const places[] = {"", "/../iptables"};
	int folder = (int)(strrchr(self, '/') - self);
	size_t i = 0;

	do
		snprintf(ret_path, PATH_MAX, "%.*s%s/pasvd-rules", folder, self, places[i++]);
	while (access(ret_path, X_OK) != 0 && i < sizeof(places) / sizeof(*places));
}

/* What was said in front of the subcommand comes first, so that its own options win. */
static const char **rules_check_put_options(
	const char **word, const struct conf *conf, char queue[NUMBER_LEN])
{
	if (conf->file) {
		*word++ = "--config";
		*word++ = conf->file;
	}
	if (conf->queue_given) {
		snprintf(queue, NUMBER_LEN, "%d", conf->queue);
		*word++ = "--queue";
		*word++ = queue;
	}
	return word;
}

/* The loader's arguments. */
static void rules_check_put_words(const char **word, const char *loader, const struct conf *conf,
	int check, char queue[NUMBER_LEN])
{
	*word++ = loader;
	*word++ = "check";
	word = rules_check_put_options(word, conf, queue);
	for (int i = 1; i < conf->argc; i++) {
		if (i != check)
			*word++ = conf->argv[i];
	}
}

int rules_check(const struct conf *conf, int check)
{
	char self[PATH_MAX], loader[PATH_MAX], queue[NUMBER_LEN];
	const char **words;

	if (rules_check_find_self(self))
		return rules_check_fail("--check");
	rules_check_find_loader(self, loader);
	words = calloc((size_t)conf->argc + EXTRA_WORDS, sizeof(*words));
	if (!words)
		return rules_check_fail("--check");
	rules_check_put_words(words, loader, conf, check, queue);
	execv(loader, (char *const *)words);
	free(words);
	return rules_check_fail(loader);
}
