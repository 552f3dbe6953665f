/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the life of the daemon
 *
 * conf → config_process → ct helper → conntrack → events → queues → control socket → isolation →
 * ready → loop. From the isolation on nothing is opened any more: the configuration process, a
 * process of its own, reads the configuration again when that is asked for. What it says goes into
 * settings of its own, which take the place of the old ones between two packets.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "config_process.h"
#include "conntrack.h"
#include "ct_helper.h"
#include "ctl.h"
#include "engine_map.h"
#include "expect_events.h"
#include "expect_room.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "queue_counters.h"
#include "router_check.h"
#include "rules.h"
#include "rules_status.h"
#include "rules_watch.h"
#include "sandbox.h"
#include "sd_notify.h"
#include "sink.h"
#include "takeover.h"

static struct engine *engine;
static struct loop loop; /* too large for the stack: packet buffers */
static struct conntrack ct;
static struct expect_events events;
static struct history history;
static struct ctl ctl;
static struct answer_about about; /* for ctl */
static int queue_file = -1;       /* QUEUE_COUNTERS_FILE, if we may read it */

/* The settings in force, and room for the next ones. */
static struct live {
	struct config_process config_process;
	struct settings *now, settings[2];
} live;

static void pasvd_compare_number(const char *name, unsigned next, unsigned now)
{
	if (next != now)
		log_reload(REASON_LEVEL_WARNING, "restart-needed",
			"%s=%u stays until pasvd is started again", name, now);
}

/* Says which of the new values only a restart puts in force. */
static void pasvd_warn_of_restart(const struct settings *next, const struct settings *now)
{
	pasvd_compare_number("queue", next->queue, now->queue);
	pasvd_compare_number("[tls] queue", next->tls_queue, now->tls_queue);
	pasvd_compare_number("[limits] max-sessions", next->sessions, now->sessions);
	if (next->policy.connmark != now->policy.connmark)
		log_reload(REASON_LEVEL_WARNING, "restart-needed",
			"connmark=0x%x stays until pasvd is started again", now->policy.connmark);
	if (strcmp(next->control_socket, now->control_socket) != 0)
		log_reload(REASON_LEVEL_WARNING, "restart-needed",
			"control-socket=%s stays until pasvd is started again",
			now->control_socket);
	if (next->ct_helper != now->ct_helper)
		log_reload(REASON_LEVEL_WARNING, "restart-needed",
			"the ct helper stays until pasvd is started again");
	if (policy_has_on_demand(&next->policy) && !loop.queue[LOOP_ON_DEMAND].nl.sock)
		log_reload(REASON_LEVEL_WARNING, "restart-needed",
			"ports are opened on demand when pasvd is started again");
}

/* Puts what came from the configuration process in the place of what is in force, but for what that
 * process may know by now and only a restart changes. */
static void pasvd_adopt(struct live *l, struct settings *next)
{
	settings_keep(next, l->now);
	engine->policy = &next->policy;
	about.settings = next;
	l->now = next;
}

static struct settings *pasvd_other_settings(struct live *l)
{
	return &l->settings[l->now == &l->settings[0]];
}

static uint64_t pasvd_time_of_day(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool pasvd_reload(void)
{
	struct live *l = &live;
	struct settings *next = pasvd_other_settings(l);

	about.reloaded.successful = config_process_reload(&l->config_process, next);
	if (!about.reloaded.successful)
		return false;
	about.reloaded.success_us = pasvd_time_of_day() * 1000;
	pasvd_warn_of_restart(next, l->now);
	pasvd_adopt(l, next);
	return true;
}

static void pasvd_on_hangup(void *data)
{
	(void)data;
	pasvd_reload();
}

static void pasvd_check_external(void *data, uint64_t now)
{
	struct live *l = data;

	if (external_any(&l->now->watch) &&
		config_process_look(&l->config_process, now, pasvd_other_settings(l)))
		pasvd_adopt(l, pasvd_other_settings(l));
}

static void pasvd_show_life(void *data)
{
	(void)data;
	notify("WATCHDOG=1");
}

static void pasvd_log_verdict(void *data, const struct verdict *v)
{
	(void)data;
	if (history_verdict(&history, v, pasvd_time_of_day()))
		ctl_tell(&ctl);
}

static void pasvd_log_ended(const struct ended *e)
{
	log_ended(e);
	history_ended(&history, e, pasvd_time_of_day());
	ctl_tell(&ctl);
}

static void pasvd_log_adopted(const struct adopted *a)
{
	log_adopted(a);
	history_adopted(&history, a, pasvd_time_of_day());
	ctl_tell(&ctl);
}

static void pasvd_tell_evicted(const struct ct_view *view)
{
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];

	log_packet(REASON_LEVEL_WARNING, &view->tuple[DIR_ORIGINAL].src.addr, "evicted",
		"more sessions than fit; it has to log in again",
		"client=%s server=%s max-sessions=%u",
		endpoint_text(&view->tuple[DIR_ORIGINAL].src, client),
		endpoint_text(&view->tuple[DIR_REPLY].src, server), engine->tab.pool.max);
}

static void pasvd_answer_ctl(void *data, uint64_t now)
{
	(void)data;
	ctl_work(&ctl, now);
}

static const struct loop_hooks hooks = {pasvd_on_hangup, pasvd_check_external, pasvd_show_life,
	pasvd_log_verdict, pasvd_answer_ctl, &live};

static bool pasvd_count_queue(uint16_t queue, struct answer_queue *ret_queue)
{
	struct queue_counters q;
	bool found = queue_counters_read(queue_file, queue, &q);

	if (found)
		*ret_queue = (struct answer_queue){q.waiting, q.dropped, q.undelivered};
	return found;
}

/* This router takes over from another. */
static bool pasvd_take_over(void)
{
	engine_forget(engine);
	return takeover_inherit(engine, &ct);
}

/* Without it everything works, but pasvctl. */
static void pasvd_start_ctl(const struct ct_helper *ct_helper)
{
	const char *path = live.now->control_socket;
	uint64_t now_us = pasvd_time_of_day() * 1000;
	int err;

	queue_file = open(QUEUE_COUNTERS_FILE, O_RDONLY | O_CLOEXEC);

	about = (struct answer_about){.engine = engine,
		.history = &history,
		.settings = live.now,
		.reload = pasvd_reload,
		.take_over = pasvd_take_over,
		.ct_helper = ct_helper->name,
		.netns = rules_status_netns(),
		.queue = live.now->queue,
		.on_demand_syns = loop.queue[LOOP_ON_DEMAND].nl.sock,
		.tls_queue = live.now->tls_queue,
		.since = loop_now(),
		.started_us = now_us,
		.reloaded = {true, now_us},
		.expected = conntrack_expected,
		.counters = pasvd_count_queue,
		.ct = &ct};
	err = ctl_open(&ctl, path, &about);
	if (err == -EADDRINUSE)
		log_at(REASON_LEVEL_ERR, "control-socket",
			"control socket %s: another program listens there, or it is no socket",
			path);
	else if (err)
		log_at(REASON_LEVEL_WARNING, "control-socket",
			"control socket %s: %s; pasvctl will not work", path, strerror(-err));
	loop.watched = ctl_fd(&ctl);
}

static int pasvd_bind_queue(int which, uint16_t number)
{
	int err = loop_bind(&loop, which, number);

	if (err == -EPERM || err == -EBUSY)
		log_at(REASON_LEVEL_ERR, "queue", "queue %u is taken: another program has bound it",
			number);
	else if (err)
		log_at(REASON_LEVEL_ERR, "queue", "cannot open queue %u: %s", number,
			strerror(-err));
	return err;
}

/* Without a queue of their own, SYNs to ports on demand go their way, and find nothing open. */
static int pasvd_start_on_demand(void)
{
	return policy_has_on_demand(&live.now->policy)
		       ? pasvd_bind_queue(LOOP_ON_DEMAND, live.now->tls_queue)
		       : 0;
}

static int pasvd_start_core(const struct ct_helper *ct_helper)
{
	uint8_t key[CONNTAB_KEY_LEN];
	struct ct_ops ops;
	int err = getrandom(key, sizeof(key), 0) == sizeof(key) ? 0 : -errno;

	engine = engine_map();
	if (!err && !engine)
		err = -errno;
	if (!err)
		err = conntrack_open(&ct, ct_helper);
	if (err)
		return err;
	ops = conntrack_ops(&ct);
	ops = loop_ct_ops(&loop, &ops);
	engine_init(engine, &ops, &live.now->policy, key);
	conntab_set_max(&engine->tab, live.now->sessions);
	engine->on_ended = pasvd_log_ended;
	engine->on_evicted = pasvd_tell_evicted;
	engine->on_adopted = pasvd_log_adopted;
	engine->sees_all = !live.now->fail_open;
	err = expect_events_open(&events, engine, ct.nl.portid);
	return err ? err : loop_open(&loop, engine, &events, &hooks);
}

static int pasvd_start(const struct ct_helper *ct_helper)
{
	int err = pasvd_start_core(ct_helper);

	if (err) {
		log_at(REASON_LEVEL_ERR, "start", "cannot start: %s", strerror(-err));
		return err;
	}
	takeover_inherit(engine, &ct);
	err = pasvd_bind_queue(LOOP_CONTROL, live.now->queue);
	return err ? err : pasvd_start_on_demand();
}

static int pasvd_enter_sandbox(void)
{
	int err = sandbox_parser();

	if (err)
		log_at(REASON_LEVEL_ERR, "start", "cannot enter the sandbox: %s", strerror(-err));
	return err;
}

static void pasvd_say_ready(const struct ct_helper *ct_helper)
{
	log_fields(REASON_LEVEL_INFO, "ready", "version=%s queue=%u ct-helper=%s", PASVD_VERSION,
		live.now->queue, ct_helper->name);
	notify("READY=1\nSTATUS=Follows control connections.");
}

static int pasvd_run(const struct ct_helper *ct_helper)
{
	int err = pasvd_start(ct_helper);

	if (!err) {
		expect_room_check(live.now->policy.open_ports);
		pasvd_start_ctl(ct_helper);
		err = pasvd_enter_sandbox();
	}
	if (!err) {
		pasvd_say_ready(ct_helper);
		err = loop_run(&loop, sd_notify_watchdog_ms());
		if (err)
			log_at(REASON_LEVEL_ERR, "queue", "queue %u: %s", live.now->queue,
				strerror(-err));
		notify("STOPPING=1");
		log_counters(engine);
	}
	loop_close(&loop);
	expect_events_close(&events);
	conntrack_close(&ct);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Also looks at the files and for the interfaces that are named there: what is wrong with them is
 * logged, but is no reason not to start. */
static int pasvd_configure(const struct conf *conf)
{
	char error[CONF_FILE_ERROR_MAX];

	live.now = &live.settings[0];
	if (conf_read(conf, live.now, error)) {
		log_text(REASON_LEVEL_ERR, error);
		return OPTIONS_EXIT_USAGE;
	}
	external_read(&live.now->watch, &live.now->policy);
	return EXIT_SUCCESS;
}

static int pasvd_start_config_process(const struct conf *conf)
{
	int err = config_process_start(&live.config_process, conf, live.now);

	if (err)
		log_at(REASON_LEVEL_ERR, "start", "cannot start the configuration process: %s",
			strerror(-err));
	return err;
}

/* --- commands --- */

static struct daemon_line {
	struct conf conf; /* first: see there */
	bool syslog, verbose, test;
} line;

static int pasvd_serve(void *data)
{
	const struct daemon_line *l = data;
	const struct ct_helper *ct_helper;
	int status;

	sink_open(l->syslog);
	if (l->verbose)
		log_verbosity(REASON_LEVEL_DEBUG);
	status = pasvd_configure(&l->conf);
	if (status || l->test)
		return status;
	sd_notify_open();
	if (pasvd_start_config_process(&l->conf) ||
		ct_helper_choose(live.now->ct_helper, &ct_helper))
		return EXIT_FAILURE;
	return pasvd_run(ct_helper);
}

static const struct options_row daemon_rows[] = {
	CONF_ROW_FILE,
	{.name = "test-config",
		.letter = 'n',
		.help = "only check the configuration: status 0, or 2 and one line",
		.offset = offsetof(struct daemon_line, test)},
	{.name = "syslog",
		.letter = 'l',
		.help = "log to syslog, not to standard error",
		.offset = offsetof(struct daemon_line, syslog)},
	CONF_ROW_QUEUE,
	CONF_ROW_SOCKET,
	{.name = "verbose",
		.letter = 'v',
		.help = "log every verdict",
		.offset = offsetof(struct daemon_line, verbose)},
	{0},
};

static const struct options_command daemon_command = {
	.name = "",
	.summary = "Without a command the daemon runs in the foreground.",
	.rows = daemon_rows,
	.data = &line,
	.run = pasvd_serve,
};

static int pasvd_print_ct_helper(void *data)
{
	const struct daemon_line *l = data;
	const struct ct_helper *ct_helper;
	int status = pasvd_configure(&l->conf);

	if (status)
		return status;
	if (ct_helper_choose(live.now->ct_helper, &ct_helper))
		return EXIT_FAILURE;
	puts(ct_helper->name);
	return options_flush();
}

static const struct options_row ct_helper_rows[] = {CONF_ROW_FILE, {0}};

static const struct options_command ct_helper_command = {
	.name = "ct-helper",
	.summary = "prints the conntrack helper that the rules give to control connections",
	.rows = ct_helper_rows,
	.data = &line,
	.run = pasvd_print_ct_helper,
};

/* The program beside this one, as in a build folder, or the one that was installed. */
static int pasvd_replay(char **argv)
{
	static const char name[] = "pasvd-replay", installed[] = PASVD_LIBEXECDIR "/pasvd-replay";
	char path[PATH_MAX + sizeof(name)];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, name, sizeof(name));
		execv(path, argv);
	}
	execv(installed, argv);
	fprintf(stderr, "pasvd replay: %s: %s; it is built with libpcap\n", installed,
		strerror(errno));
	return EXIT_FAILURE;
}

static const struct options_command replay_command = {
	.name = "replay",
	.summary = "prints what the daemon would have rewritten and opened for a capture",
	.run_other = pasvd_replay,
};

static const struct options_command *const commands[] = {&daemon_command, &check_command,
	&rules_print_command, &rules_load_command, &rules_diff_command, &rules_watch_command,
	&rules_remove_command, &replay_command, &ct_helper_command, NULL};

static const struct options_program program = {
	.name = "pasvd",
	.version = PASVD_VERSION,
	.about = "FTP connection tracking helper: rewrites the addresses that FTP servers and "
		 "clients behind\n"
		 "NAT announce, and installs conntrack expectations for their data connections.\n",
	.commands = commands,
};

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv);
}
