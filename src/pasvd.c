/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pasvd.c - the life of the daemon
 *
 * conf → carrier → conntrack → queue → ready → loop. Nothing is forked, nothing is written but stderr.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>

#include "carrier.h"
#include "conf.h"
#include "ct_netlink.h"
#include "log.h"
#include "loop.h"
#include "rules.h"

/* Too large for the stack: the connection table and packet buffers. */
static struct helper helper;
static struct loop loop;
static struct ct_netlink ct;

static int start(const struct conf *conf, const struct carrier *carrier)
{
	uint8_t key[CONNTAB_KEY_LEN];
	struct ct_port port;
	int err;

	if (getrandom(key, sizeof key, 0) != sizeof key)
		return -errno;
	err = ct_netlink_open(&ct, carrier);
	if (err)
		return err;
	port = ct_netlink_port(&ct);
	helper_init(&helper, &port, key);
	return loop_open(&loop, conf->queue, &helper);
}

static void say_start_failed(const struct conf *conf, int err)
{
	if (err == -EPERM || err == -EBUSY)
		log_at(REASON_LEVEL_ERR, "queue %u is taken: another program has bound it", conf->queue);
	else
		log_at(REASON_LEVEL_ERR, "cannot open queue %u: %s", conf->queue, strerror(-err));
}

static int run(const struct conf *conf, const struct carrier *carrier)
{
	int err = start(conf, carrier);

	if (err) {
		say_start_failed(conf, err);
	} else {
		log_at(REASON_LEVEL_INFO, "ready version=%s queue=%u carrier=%s", PASVD_VERSION, conf->queue,
			carrier->name);
		sd_notify(0, "READY=1");
		err = loop_run(&loop);
		if (err)
			log_at(REASON_LEVEL_ERR, "queue %u: %s", conf->queue, strerror(-err));
		sd_notify(0, "STOPPING=1");
		log_counters(helper.count);
	}
	loop_close(&loop);
	ct_netlink_close(&ct);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char *carrier_name(void)
{
	const struct carrier *carrier;

	return carrier_choose(&carrier) ? NULL : carrier->name;
}

static int print_carrier(void)
{
	const char *name = carrier_name();

	return name && puts(name) != EOF && fflush(stdout) != EOF ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve(const struct conf *conf)
{
	const struct carrier *carrier;

	if (conf->verbose)
		log_verbosity(REASON_LEVEL_DEBUG);
	return carrier_choose(&carrier) ? EXIT_FAILURE : run(conf, carrier);
}

int main(int argc, char **argv)
{
	struct conf conf;

	conf_parse(argc, argv, &conf);
	switch (conf.command) {
	case CONF_CARRIER:
		return print_carrier();
	case CONF_RULES:
		return rules_main(conf.argc, conf.argv, carrier_name);
	case CONF_DAEMON:
		break;
	}
	return serve(&conf);
}
