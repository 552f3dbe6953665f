/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_drop_in.c - FILE.d/NAME.conf, and what becomes of a key that several files have
 *
 * Each test writes a folder with the file, "test.conf", and its drop-ins.
 */
#include <ftw.h>

#include "conf_text.h"
#include "pasvd/array.h"

enum { FILES_MAX = 8, FOLDER_MAX = 64 };

struct drop_in {
	const char *name, *text;
};

static char folder[sizeof "/tmp/check_drop_in.XXXXXX"];

static void begin(void)
{
	strcpy(folder, "/tmp/check_drop_in.XXXXXX");
	ck_assert(mkdtemp(folder) && chdir(folder) == 0);
}

static int drop(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void end(void)
{
	ck_assert(chdir("/") == 0 && nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_msg(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", name);
}

/* `text`: that of the file, NULL if it is missing. */
static int read_with(
	const char *text, const struct drop_in *drop_in, bool needed, struct settings *ret)
{
	int err;

	begin();
	if (text)
		write_text(path, text);
	ck_assert(mkdir("test.conf.d", 0755) == 0);
	for (; drop_in->name; drop_in++) {
		char name[256];

		snprintf(name, sizeof(name), "test.conf.d/%s", drop_in->name);
		write_text(name, drop_in->text);
	}
	unit_mark(ret, sizeof(*ret));
	err = conf_file_read(path, needed, ret, error);
	ck_assert(!err || unit_is_marked(ret, sizeof(*ret)));
	end();
	return err;
}

#define WITH(...) ((const struct drop_in[FILES_MAX]){__VA_ARGS__})

static struct settings good_with(const char *text, const struct drop_in *drop_in)
{
	struct settings s;
	int err = read_with(text, drop_in, true, &s);

	ck_assert_msg(!err, "%s", error);
	return s;
}

static void bad_with(const char *text, const struct drop_in *drop_in, const char *want)
{
	struct settings s;

	ck_assert_int_eq(read_with(text, drop_in, true, &s), -EINVAL);
	ck_assert_str_eq(error, want);
}

START_TEST(the_last_in_order_of_names_counts)
{
	struct settings s = good_with("[pasvd]\nqueue = 5\nct-zone = 5\nexpect-timeout = 5\n",
		WITH({"b.conf", "[pasvd]\nqueue = 8\nct-zone = 8\n"},
			{"9.conf", "[pasvd]\nqueue = 7\nct-zone = 7\n"},
			{"10.conf", "[pasvd]\nqueue = 6\n"}, {"a.conf", "[pasvd]\nct-zone = 9\n"}));

	ck_assert(s.queue == 8 && s.policy.zone == 8 && s.policy.expect_seconds == 5);
}
END_TEST

START_TEST(a_file_has_a_key_once)
{
	bad_with("[pasvd]\nqueue = 5\n", WITH({"a.conf", "[pasvd]\nqueue = 6\n\nqueue = 7\n"}),
		"test.conf.d/a.conf:4: [pasvd] queue = 7: this key was given before");
}
END_TEST

START_TEST(lists_go_on)
{
	struct settings s = good_with(
		"[policy]\ndeny-ports = 1\n", WITH({"b.conf", "[policy]\ndeny-ports = 4\n"},
						      {"a.conf", "[policy]\ndeny-ports = 2, 3\n"}));

	ck_assert(s.policy.n_deny == 4);
	for (uint16_t i = 0; i < 4; i++)
		ck_assert_uint_eq(s.policy.deny[i].low, i + 1);
}
END_TEST

START_TEST(a_server_goes_on)
{
	struct settings s = good_with("[server ftp]\naddress = 10.0.0.2\nwan = eth0\nports = 21\n",
		WITH({"a.conf", "[server www]\naddress = any\nwan = eth1\naccept-data = no\n"
				"[server ftp]\naddress = fd00::2\nwan =\nwan = eth2\n"},
			{"b.conf", "[server www]\naccept-data = yes\n"}));
	const struct server *ftp = &s.servers.server[0];

	ck_assert(s.servers.n == 2 && ftp->n_addresses == 2 && ftp->n_ports == 1);
	ck_assert(ftp->n_wans == 1 && strcmp(ftp->wan[0], "eth2") == 0);
	ck_assert(s.servers.server[1].accept_data);
	bad_with("[server ftp]\naddress = 10.0.0.2\n",
		WITH({"a.conf", "[server www]\naddress = any\nwan = eth1\n"}),
		"test.conf:1: [server ftp]: wan or public is missing");
}
END_TEST

START_TEST(an_empty_value_begins_a_list_anew)
{
	struct settings s = good_with(
		"[policy]\ndeny-ports = 1\n[translate]\n"
		"external-address = 203.0.113.7 on eth0, file:/a for 10.0.0.0/8, 203.0.113.8\n",
		WITH({"a.conf", "[policy]\ndeny-ports =\ndeny-ports = "
				"2\n[translate]\nexternal-address =\n"},
			{"b.conf", "[translate]\nexternal-address = file:/b\n"}));

	ck_assert(s.policy.n_deny == 1 && s.policy.deny[0].low == 2);
	ck_assert(s.policy.n_external == 1 && s.watch.n_interfaces == 0 && s.watch.n_files == 1);
	ck_assert(s.watch.file[0].entry == 0 && strcmp(s.watch.file[0].path, "/b") == 0);
}
END_TEST

START_TEST(mistakes_name_the_file_they_are_in)
{
	static const char right[] = "[pasvd]\nqueue = 5\n";

	bad_with("[pasvd]\n\nqueue = x\n", WITH({"a.conf", "[pasvd]\nqueue = y\n"}),
		"test.conf:3: [pasvd] queue = x: must be a number 0..65535");
	bad_with(right, WITH({"a.conf", right}, {"b.conf", "queue = 5\n"}),
		"test.conf.d/b.conf:1: [] queue = 5: belongs to [pasvd] or [tls]");
	bad_with(right, WITH({"a.conf", "[pasvd]\n\nqueue\n"}),
		"test.conf.d/a.conf:3: neither [section] nor key = value");
	bad_with("[tls]\nmode = refuse\n", WITH({"a.conf", "[tls]\nmode = pass for 10.0.0.2\n"}),
		"test.conf.d/a.conf:2: [tls] mode = pass for 10.0.0.2: "
		"never counts: a mode before it is for all servers");
}
END_TEST

START_TEST(other_names_are_left_alone)
{
	struct settings s = good_with("[pasvd]\nqueue = 5\n",
		WITH({".conf", "x"}, {".a.conf", "x"}, {"a.conf~", "x"}, {"a.conf.dpkg-old", "x"},
			{"aconf", "x"}, {"README", "x"}, {"a.CONF", "x"}));

	ck_assert_uint_eq(s.queue, 5);
}
END_TEST

START_TEST(the_file_itself_may_be_missing_if_it_is_not_needed)
{
	const struct drop_in *drop_in = WITH({"a.conf", "[pasvd]\nqueue = 6\n"});
	struct settings s;

	ck_assert_int_eq(read_with(NULL, drop_in, true, &s), -ENOENT);
	ck_assert_str_eq(error, "test.conf: No such file or directory");
	ck_assert_int_eq(read_with(NULL, drop_in, false, &s), 0);
	ck_assert_uint_eq(s.queue, 6);
	ck_assert_int_eq(read_with("[pasvd]\nqueue = x\n", drop_in, false, &s), -EINVAL);
}
END_TEST

static void refused(int err, const char *want)
{
	struct settings s;

	for (int needed = 0; needed < 2; needed++) {
		ck_assert_int_eq(conf_file_read(path, needed, &s, error), err);
		ck_assert_str_eq(error, want);
	}
}

START_TEST(a_link_that_leads_nowhere_is_not_missing)
{
	begin();
	ck_assert(symlink("nowhere", path) == 0);
	refused(-ENOENT, "test.conf: No such file or directory");
	ck_assert(unlink(path) == 0);
	write_text(path, "");
	ck_assert(symlink("nowhere", "test.conf.d") == 0);
	refused(-ENOENT, "test.conf.d: No such file or directory");
	end();
}
END_TEST

START_TEST(what_is_no_folder_or_no_file_is_refused_at_once)
{
	begin();
	write_text(path, "");
	ck_assert(mkfifo("test.conf.d", 0600) == 0);
	refused(-ENOTDIR, "test.conf.d: Not a directory");
	ck_assert(unlink("test.conf.d") == 0 && mkdir("test.conf.d", 0755) == 0);
	ck_assert(mkfifo("test.conf.d/a.conf", 0600) == 0);
	refused(-ENOTSUP, "test.conf.d/a.conf: not a regular file");
	ck_assert(
		unlink("test.conf.d/a.conf") == 0 && symlink("nowhere", "test.conf.d/a.conf") == 0);
	refused(-ENOENT, "test.conf.d/a.conf: No such file or directory");
	end();
}
END_TEST

START_TEST(a_folder_has_64_files)
{
	char name[FOLDER_MAX];
	struct settings s;

	begin();
	write_text(path, "");
	ck_assert(mkdir("test.conf.d", 0755) == 0);
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "test.conf.d/%d.conf", i);
		snprintf(error, sizeof(error), "[pasvd]\nqueue = %d\n", i);
		write_text(name, error);
	}
	ck_assert_int_eq(conf_file_read(path, true, &s, error), 0);
	ck_assert_uint_eq(s.queue, 9);
	write_text("test.conf.d/x.conf", "");
	refused(-E2BIG, "test.conf.d: a folder has at most 64 files .conf");
	end();
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		the_last_in_order_of_names_counts,
		a_file_has_a_key_once,
		lists_go_on,
		a_server_goes_on,
		an_empty_value_begins_a_list_anew,
		mistakes_name_the_file_they_are_in,
		other_names_are_left_alone,
		the_file_itself_may_be_missing_if_it_is_not_needed,
		a_link_that_leads_nowhere_is_not_missing,
		what_is_no_folder_or_no_file_is_refused_at_once,
		a_folder_has_64_files,
	};

	return unit_run("drop_in", test, ARRAY_SIZE(test));
}
