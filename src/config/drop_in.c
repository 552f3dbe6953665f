/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drop_in.c - FILE.d/NAME.conf: files that are read after FILE
 *
 * What ends otherwise or begins with a dot is no drop-in: editors and packages leave such files.
 * Names are collected and sorted here and not by scandir(), for qsort() may make system calls that
 * the configuration process does not have.
 */
#include "drop_in.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "regular.h"

enum { NAMES_MAX = 64 };

struct names {
	size_t n;
	char name[NAMES_MAX][NAME_MAX + 1];
};

static bool is_drop_in(const char *name)
{
	static const char ending[] = ".conf";
	size_t n = strlen(name);

	return name[0] != '.' && n >= sizeof(ending) &&
	       strcmp(name + n - strlen(ending), ending) == 0;
}

/* At its place in the order of bytes. */
static void drop_in_put(struct names *names, const char *name)
{
	size_t i = names->n++;

	for (; i > 0 && strcmp(names->name[i - 1], name) > 0; i--)
		memcpy(names->name[i], names->name[i - 1], sizeof(names->name[i]));
	snprintf(names->name[i], sizeof(names->name[i]), "%s", name);
}

static int drop_in_collect(DIR *folder, struct names *ret_names)
{
	struct dirent *entry;

	ret_names->n = 0;
	for (errno = 0; (entry = readdir(folder)); errno = 0) {
		if (!is_drop_in(entry->d_name))
			continue;
		if (ret_names->n == NAMES_MAX)
			return -E2BIG;
		drop_in_put(ret_names, entry->d_name);
	}
	return -errno;
}

static int drop_in_list(const char *path, struct names *ret_names)
{
	DIR *folder = opendir(path);
	int err = -errno;

	ret_names->n = 0;
	if (!folder)
		return err == -ENOENT && is_missing(path) ? 0 : err;
	err = drop_in_collect(folder, ret_names);
	closedir(folder);
	return err;
}

int drop_in_each(const char *file, int (*read)(void *data, const char *path), void *data,
	char *error, size_t cap)
{
	struct names names;
	char path[PATH_MAX];
	int err, folder = snprintf(path, sizeof(path), "%s.d", file);

	if (folder < 0 || folder + 1 + NAME_MAX >= PATH_MAX) {
		snprintf(error, cap, "%s: %s", file, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	err = drop_in_list(path, &names);
	if (err == -E2BIG)
		snprintf(error, cap, "%s: a folder has at most %d files .conf", path, NAMES_MAX);
	else if (err)
		snprintf(error, cap, "%s: %s", path, strerror(-err));
	for (size_t i = 0; !err && i < names.n; i++) {
		snprintf(path + folder, sizeof(path) - (size_t)folder, "/%s", names.name[i]);
		err = read(data, path);
	}
	return err;
}
