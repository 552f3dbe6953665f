/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pasvd.c - the life of the daemon
 *
 * conf → keeper → carrier → conntrack → events → queues → control socket → isolation → ready → loop. From the isolation on
 * nothing is opened any more: the keeper, a process of its own, reads the configuration again when that is asked for. What it
 * says goes into settings of its own, which take the place of the old ones between two packets.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "carrier.h"
#include "conf.h"
#include "ct_netlink.h"
#include "ctl.h"
#include "doctor.h"
#include "expect_events.h"
#include "isolation.h"
#include "keeper.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "pasvd/ondemand.h"
#include "rules.h"
#include "sink.h"

/* Too large for the stack: the connection table and packet buffers. */
static struct helper helper;
static struct loop loop;
static struct ct_netlink ct;
static struct expect_events events;
static struct history history;
static struct ctl ctl;

/* The settings in force, and room for the next ones. */
static struct live {
	struct keeper keeper;
	struct settings *now, settings[2];
} live;

static void keep_number(const char *name, uint16_t *next, uint16_t now)
{
	if (*next != now)
		log_at(REASON_LEVEL_WARNING, "%s=%u stays until pasvd is started again", name, now);
	*next = now;
}

static void keep_fail(bool *next, bool now)
{
	if (*next != now)
		log_at(REASON_LEVEL_WARNING, "fail=%s stays until pasvd is started again",
			now ? "open" : "closed");
	*next = now;
}

static void keep_socket(struct settings *next, const struct settings *now)
{
	if (strcmp(next->control_socket, now->control_socket) != 0)
		log_at(REASON_LEVEL_WARNING, "control-socket=%s stays until pasvd is started again",
			now->control_socket);
	memcpy(next->control_socket, now->control_socket, sizeof next->control_socket);
}

static void keep_carrier(struct settings *next, const struct settings *now)
{
	if (next->carrier != now->carrier)
		log_at(REASON_LEVEL_WARNING, "the carrier stays until pasvd is started again");
	next->carrier = now->carrier;
}

/* Puts what came from the keeper in the place of what is in force. */
static void adopt(struct live *l, struct settings *next)
{
	helper.policy = &next->policy;
	l->now = next;
}

static struct settings *other(struct live *l)
{
	return &l->settings[l->now == &l->settings[0]];
}

static void reload(void *data)
{
	struct live *l = data;
	struct settings *next = other(l);

	if (!keeper_reload(&l->keeper, next))
		return;
	keep_number("queue", &next->queue, l->now->queue);
	keep_number("[tls] queue", &next->tls_queue, l->now->tls_queue);
	keep_number("[limits] sessions", &next->sessions, l->now->sessions);
	keep_fail(&next->fail_open, l->now->fail_open);
	keep_socket(next, l->now);
	keep_carrier(next, l->now);
	if (next->policy.n_tls_ports && !loop.queue[LOOP_KNOCK].nl.sock)
		log_at(REASON_LEVEL_WARNING, "[tls] ports are opened when pasvd is started again");
	adopt(l, next);
}

static void look_around(void *data, uint64_t now)
{
	struct live *l = data;

	if (external_any(&l->now->watch) && keeper_look(&l->keeper, now, other(l)))
		adopt(l, other(l));
}

static void show_life(void *data)
{
	(void)data;
	notify("WATCHDOG=1");
}

static uint64_t time_of_day(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void tell_verdict(void *data, const struct verdict *v)
{
	(void)data;
	if (history_verdict(&history, v, time_of_day()))
		ctl_tell(&ctl);
}

static void tell_ended(const struct ended *e)
{
	log_ended(e);
	history_ended(&history, e, time_of_day());
	ctl_tell(&ctl);
}

static void answer(void *data, uint64_t now)
{
	(void)data;
	ctl_work(&ctl, now);
}

static const struct loop_hooks hooks = {reload, look_around, show_life, tell_verdict, answer, &live};

/* Without it everything works, but pasvctl. */
static void start_ctl(const struct carrier *carrier)
{
	static struct answer_about about;
	const char *path = live.now->control_socket;
	int err;

	about = (struct answer_about){.helper = &helper,
		.history = &history,
		.carrier = carrier->name,
		.queue = live.now->queue,
		.knocks = loop.queue[LOOP_KNOCK].nl.sock,
		.tls_queue = live.now->tls_queue,
		.since = loop_now(),
		.expected = ct_netlink_expected,
		.ct = &ct};
	err = ctl_open(&ctl, path, &about);
	if (err == -EADDRINUSE)
		log_at(REASON_LEVEL_ERR,
			"control socket %s: another program listens there, or it is no socket", path);
	else if (err)
		log_at(REASON_LEVEL_WARNING, "control socket %s: %s; pasvctl will not work", path,
			strerror(-err));
	loop.watched = ctl_fd(&ctl);
}

static int bind_queue(int which, uint16_t number, bool fail_open)
{
	int err = loop_bind(&loop, which, number, fail_open);

	if (err == -EPERM || err == -EBUSY)
		log_at(REASON_LEVEL_ERR, "queue %u is taken: another program has bound it", number);
	else if (err)
		log_at(REASON_LEVEL_ERR, "cannot open queue %u: %s", number, strerror(-err));
	return err;
}

/* What a daemon before this one knew to be TLS. */
static void take_marked(void *data, const struct ct_view *view)
{
	ondemand_restore(data, view, loop_now());
}

/* Without a queue of their own, SYNs to ports on demand go their way, and find nothing open. */
static int start_on_demand(void)
{
	const struct policy *policy = &live.now->policy;
	int err;

	if (!policy->n_tls_ports)
		return 0;
	err = policy->tls_mark ? ct_netlink_marked(&ct, policy->tls_mark, take_marked, &helper) : 0;
	if (err)
		log_at(REASON_LEVEL_WARNING, "cannot ask for the connections marked as TLS: %s",
			strerror(-err));
	return bind_queue(LOOP_KNOCK, live.now->tls_queue, false);
}

static int start_core(const struct carrier *carrier)
{
	uint8_t key[CONNTAB_KEY_LEN];
	struct ct_port port;
	int err = getrandom(key, sizeof key, 0) == sizeof key ? 0 : -errno;

	if (!err)
		err = ct_netlink_open(&ct, carrier);
	if (err)
		return err;
	port = ct_netlink_port(&ct);
	helper_init(&helper, &port, &live.now->policy, key);
	helper.tab.most = live.now->sessions;
	helper.on_ended = tell_ended;
	err = expect_events_open(&events, &helper, ct.nl.portid);
	return err ? err : loop_open(&loop, &helper, &events, &hooks);
}

static int start(const struct carrier *carrier)
{
	int err = start_core(carrier);

	if (err) {
		log_at(REASON_LEVEL_ERR, "cannot start: %s", strerror(-err));
		return err;
	}
	err = bind_queue(LOOP_CONTROL, live.now->queue, live.now->fail_open);
	return err ? err : start_on_demand();
}

static int shut_in(void)
{
	int err = isolation_parser();

	if (err)
		log_at(REASON_LEVEL_ERR, "cannot shut in: %s", strerror(-err));
	return err;
}

static void say_ready(const struct carrier *carrier)
{
	log_at(REASON_LEVEL_INFO, "ready version=%s queue=%u carrier=%s", PASVD_VERSION, live.now->queue,
		carrier->name);
	notify("READY=1\nSTATUS=Follows control connections.");
}

static int run(const struct carrier *carrier)
{
	int err = start(carrier);

	if (!err) {
		start_ctl(carrier);
		err = shut_in();
	}
	if (!err) {
		say_ready(carrier);
		err = loop_run(&loop, notify_watchdog_ms());
		if (err)
			log_at(REASON_LEVEL_ERR, "queue %u: %s", live.now->queue, strerror(-err));
		notify("STOPPING=1");
		log_counters(&helper);
	}
	loop_close(&loop);
	expect_events_close(&events);
	ct_netlink_close(&ct);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct carrier *carrier_of(enum carrier_wanted wanted)
{
	const struct carrier *carrier;

	return carrier_choose(wanted, &carrier) ? NULL : carrier;
}

/* Also looks at the files and for the interfaces that are named there: what is wrong with them is said, but keeps nobody
 * from starting. */
static int configure(const struct conf *conf)
{
	char error[CONF_FILE_ERROR_MAX];

	live.now = &live.settings[0];
	if (conf_read(conf, live.now, error)) {
		log_at(REASON_LEVEL_ERR, "%s", error);
		return EXIT_USAGE;
	}
	external_read(&live.now->watch, &live.now->policy);
	return EXIT_SUCCESS;
}

static int print_carrier(const struct conf *conf)
{
	int status = configure(conf);
	const struct carrier *carrier;

	if (status)
		return status;
	carrier = carrier_of(live.now->carrier);
	return carrier && puts(carrier->name) != EOF && fflush(stdout) != EOF ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int start_keeper(const struct conf *conf)
{
	int err = keeper_start(&live.keeper, conf, live.now);

	if (err)
		log_at(REASON_LEVEL_ERR, "cannot start the reader of files: %s", strerror(-err));
	return err;
}

static int serve(const struct conf *conf)
{
	const struct carrier *carrier;
	int status;

	sink_open(conf->syslog);
	if (conf->verbose)
		log_verbosity(REASON_LEVEL_DEBUG);
	status = configure(conf);
	if (status)
		return status;
	notify_open();
	if (start_keeper(conf))
		return EXIT_FAILURE;
	carrier = carrier_of(live.now->carrier);
	return carrier ? run(carrier) : EXIT_FAILURE;
}

/* The program beside this one, as in a build folder, or the one that was installed. */
static int replay(char **argv)
{
	static const char name[] = "pasvd-replay", installed[] = PASVD_LIBEXECDIR "/pasvd-replay";
	char path[PATH_MAX + sizeof name];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, name, sizeof name);
		execv(path, argv);
	}
	execv(installed, argv);
	fprintf(stderr, "pasvd replay: %s: %s; it is built with libpcap\n", installed, strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct conf conf;

	conf_parse(argc, argv, &conf);
	switch (conf.command) {
	case CONF_REPLAY:
		return replay(argv);
	case CONF_CARRIER:
		return print_carrier(&conf);
	case CONF_RULES:
		return rules_main(&conf, carrier_of);
	case CONF_CHECK:
		return configure(&conf);
	case CONF_DOCTOR:
		return doctor_main(&conf);
	case CONF_DAEMON:
		break;
	}
	return serve(&conf);
}
