/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_watch.c - `pasvd rules watch`: loads the rules again when a firewall has flushed them
 *
 * Theory of operation. A process of its own, with the privilege that loading rules takes, which the
 * daemon does not have. It sleeps until nftables notifies it that a table, chain or rule was
 * deleted, or a table changed, by nft or by iptables-nft; the tables of iptables-legacy, if there
 * are any, are asked for their size every LEGACY_MS. Once the firewall has done (rules_due.h) it
 * lists the rules as `pasvd rules diff` does, and loads them if one is missing. The notification
 * does not have to be understood any further.
 *
 * A CT rule can lose its ct helper while it stays in the listing: on some kernels from Linux 5.19
 * on, when any other ct helper is unregistered (nf_ct_ext_bump_genid() makes the extensions of all
 * conntracks that are not confirmed void, and so those of the rule's template). So the rules are
 * loaded again after a module of netfilter was unloaded (module_events.h). Rules of nft have no
 * template.
 *
 * What an administrator does with `pasvd rules load` and `remove` is in a file (rules_state.h):
 * rules that were removed, or loaded with other options, are left alone. What it found is in
 * another file (rules_status.h), for pasvctl.
 *
 * Limits: rules of others that are put before the jumps, and jumps that are put after them, are not
 * looked for: that takes `pasvd check`. Nor are tables of iptables that nft makes dormant.
 */
#include "rules_watch.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "legacy.h"
#include "log.h"
#include "loop.h"
#include "module_events.h"
#include "nl.h"
#include "pasvd/array.h"
#include "rules.h"
#include "rules_due.h"
#include "rules_load.h"
#include "rules_state.h"
#include "rules_status.h"
#include "sd_notify.h"
#include "sink.h"

enum { LEGACY_MS = 5000, LEGACY_BUSY_MS = RULES_DUE_QUIET_MS / 4 };

static struct rules_request watch_asked; /* as the command line has it */

static struct watch {
	struct rules_request request; /* completed from the configuration */
	char *text;                   /* of the rules */
	char *wanted;                 /* how they are listed */
	int state, signals, modules;
	bool void_rules; /* a module was unloaded: CT rules may be without effect */
	struct nl nl;
	struct rules_due due;
	uint64_t legacy, legacy_at; /* fingerprint, and when it was taken; 0: there are no tables */
	bool left_alone;            /* that was logged */
	_Alignas(struct nlmsghdr) uint8_t event[NL_BATCH_MAX][NL_ANSWER_MAX];
} watch;

/* --- rules --- */

/* Reads the configuration. Returns an exit status; if that is no success, then after a line on
 * stderr: what was known stays. */
static int watch_refresh(struct watch *w)
{
	struct rules_request next = watch_asked;
	int status = rules_complete(&next);
	char *text = status ? NULL : rules_state_text(&next.rules);
	char *wanted = text ? rules_list_wanted(&next.rules) : NULL;

	if (!wanted) {
		free(text);
		return status ? status : EXIT_FAILURE;
	}
	free(w->text);
	free(w->wanted);
	w->text = text;
	w->wanted = wanted;
	w->request = next;
	return EXIT_SUCCESS;
}

/* Rules that are loaded with options or a configuration that are not ours may be so because the
 * configuration has changed. */
static bool watch_is_ours(struct watch *w)
{
	bool ours = rules_state_is(w->state, w->text) ||
		    (!rules_state_is(w->state, "") && watch_refresh(w) == EXIT_SUCCESS &&
			    rules_state_is(w->state, w->text));

	if (!ours && !w->left_alone)
		log_at(REASON_LEVEL_INFO, "rules-left-alone",
			"pasvd rules has removed them, or loaded others");
	w->left_alone = !ours;
	if (!ours)
		rules_status_set(rules_state_is(w->state, "") ? RULES_STATUS_REMOVED
							      : RULES_STATUS_LEFT_ALONE);
	return ours;
}

static void watch_load(struct watch *w)
{
	if (!rules_due_load(&w->due, loop_now())) {
		rules_status_set(RULES_STATUS_GIVEN_UP);
		log_packet(REASON_LEVEL_ERR, NULL, "rules-given-up",
			"they do not stay; seconds until the next try", "loads=%d seconds=%d",
			RULES_DUE_LOADS, RULES_DUE_REST_MS / 1000);
		return;
	}
	if (rules_load(&w->request.rules) == EXIT_SUCCESS) {
		rules_state_set(w->state, w->text);
		rules_status_set(RULES_STATUS_LOADED);
		w->void_rules = false;
		log_at(REASON_LEVEL_INFO, "rules-loaded", "they are loaded again");
	} else {
		rules_due_deletion(&w->due, loop_now()); /* once more */
	}
}

static void watch_compare(struct watch *w)
{
	char first[RULES_LINE_MAX];
	int missing = rules_missing(&w->request.rules, w->wanted, first);

	rules_status_set(missing < 0    ? RULES_STATUS_UNKNOWN
			 : missing == 0 ? RULES_STATUS_LOADED
					: RULES_STATUS_MISSING);
	if (missing > 0)
		log_packet(REASON_LEVEL_WARNING, NULL, "rules-missing", first, "rules=%d", missing);
	if ((missing != 0 || w->void_rules) && w->request.when_missing == SETTINGS_RULES_WATCH)
		watch_load(w);
}

static void watch_look(struct watch *w)
{
	int lock = rules_state_lock();

	rules_due_look(&w->due);
	if (w->request.when_missing == SETTINGS_RULES_IGNORE)
		rules_status_set(RULES_STATUS_UNKNOWN);
	else if (watch_is_ours(w))
		watch_compare(w);
	rules_state_unlock(lock);
}

static void watch_log_looked(void)
{
	log_fields(REASON_LEVEL_INFO, "rules-watched", "version=%s", PASVD_VERSION);
}

/* Rules that are ours stay so when the configuration has changed them. Those that are not may be
 * those of the new one, which the look after this finds out. */
static void watch_reconfigure(struct watch *w)
{
	if (!rules_state_is(w->state, w->text) || watch_refresh(w) != EXIT_SUCCESS ||
		rules_state_is(w->state, w->text))
		return;
	rules_state_set(w->state, w->text);
	if (w->request.when_missing == SETTINGS_RULES_WATCH)
		watch_load(w);
}

/* SIGHUP: what was missing may be another firewall's, and what is wanted may have changed. */
static void watch_reload(struct watch *w)
{
	int lock = rules_state_lock();

	rules_due_forgive(&w->due);
	watch_reconfigure(w);
	rules_state_unlock(lock);
	watch_look(w);
	watch_log_looked();
}

/* --- events --- */

static int watch_on_event(const struct nlmsghdr *nlh, void *data)
{
	/* A table is made dormant by a message that makes it, too. */
	static const uint16_t deletions[] = {
		NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_NEWTABLE};
	struct watch *w = data;

	rules_due_change(&w->due, loop_now());
	for (size_t i = 0; i < ARRAY_SIZE(deletions); i++) {
		if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | deletions[i]))
			rules_due_deletion(&w->due, loop_now());
	}
	return 0;
}

/* Returns 0 or -errno. What was lost may have been a deletion. */
static int watch_read_events(struct watch *w)
{
	int err;

	do {
		err = nl_dispatch_batch(&w->nl, NL_BATCH_MAX, false);
		if (err == -ENOBUFS)
			rules_due_deletion(&w->due, loop_now());
	} while (err > 0 || err == -ENOBUFS);
	return err == -EAGAIN ? 0 : err;
}

static void watch_read_modules(struct watch *w)
{
	if (!module_events_read(w->modules) || w->request.rules.nft)
		return;
	w->void_rules = true;
	rules_due_deletion(&w->due, loop_now());
	log_at(REASON_LEVEL_WARNING, "module-unloaded", "CT rules may give no ct helper any more");
}

/* When to ask for the tables' sizes next. */
static uint64_t watch_legacy_at(const struct watch *w)
{
	return w->legacy_at + (rules_due_waits(&w->due) ? LEGACY_BUSY_MS : LEGACY_MS);
}

static void watch_legacy_tables(struct watch *w)
{
	uint64_t now = loop_now(), fingerprint;

	if (!w->legacy_at || now < watch_legacy_at(w))
		return;
	w->legacy_at = now;
	fingerprint = legacy_fingerprint();
	if (fingerprint != w->legacy)
		rules_due_deletion(&w->due, now);
	w->legacy = fingerprint;
}

/* How long to sleep, in ms; -1: until something comes. */
static int watch_sleep(const struct watch *w)
{
	uint64_t now = loop_now(), until = rules_due_at(&w->due);

	if (w->legacy_at && (!until || watch_legacy_at(w) < until))
		until = watch_legacy_at(w);
	if (!until)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

/* False: the end. */
static bool watch_take_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			return false;
		watch_reload(w);
	}
	return true;
}

/* Returns 0 after a signal to end, or -errno. */
static int watch_run(struct watch *w)
{
	int err = 0;

	while (!err && watch_take_signal(w)) {
		struct pollfd fds[] = {{.fd = nl_fd(&w->nl), .events = POLLIN},
			{.fd = w->signals, .events = POLLIN}, {.fd = w->modules, .events = POLLIN}};
		uint64_t due;

		poll(fds, ARRAY_SIZE(fds), watch_sleep(w));
		err = watch_read_events(w);
		watch_read_modules(w);
		watch_legacy_tables(w);
		due = rules_due_at(&w->due);
		if (due && due <= loop_now())
			watch_look(w);
	}
	return err;
}

/* --- start --- */

static int watch_open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int watch_open(struct watch *w)
{
	int err = nl_open(&w->nl, w->event[0], sizeof(w->event[0]));

	w->nl.unasked = watch_on_event;
	w->nl.unasked_data = w;
	if (!err)
		err = nl_join(&w->nl, NFNLGRP_NFTABLES);
	if (err)
		return err;
	w->signals = watch_open_signals();
	if (w->signals < 0)
		return w->signals;
	w->modules = module_events_open();
	w->state = rules_state_create();
	return w->state < 0 ? w->state : 0;
}

/* What is there at the start counts as ours, whatever it is. */
static int watch_begin(struct watch *w)
{
	int lock = rules_state_lock(), err = rules_state_set(w->state, w->text);

	rules_state_unlock(lock);
	if (err)
		return err;
	watch_look(w);
	w->legacy = legacy_fingerprint();
	w->legacy_at = w->legacy ? loop_now() : 0;
	watch_log_looked();
	notify("READY=1\nSTATUS=Watches the rules.");
	return 0;
}

static int watch_serve(void *data)
{
	struct watch *w = &watch;
	int status, err;

	(void)data;
	sd_notify_open();
	if (rules_ask_for_nobody(&watch_asked, "is watched")) {
		notify("READY=1");
		return EXIT_SUCCESS;
	}
	sink_open(false);
	status = watch_refresh(w);
	if (status)
		return status;
	err = watch_open(w);
	if (!err) {
		err = watch_begin(w);
		err = err ? err : watch_run(w);
		notify("STOPPING=1");
		rules_status_set(RULES_STATUS_UNKNOWN);
		rules_state_delete(w->state);
	}
	nl_close(&w->nl);
	if (err)
		log_at(REASON_LEVEL_ERR, "start", "cannot watch the rules: %s",
			err == -EBUSY ? "another program does" : strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct options_command rules_watch_command = {
	.name = "rules watch",
	.summary = "loads the rules again when another program has removed them",
	.rows = rules_rows,
	.more = rules_more,
	.data = &watch_asked,
	.run = watch_serve,
};
