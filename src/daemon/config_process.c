/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config_process.c - a process that reads files for one that may not
 *
 * Over a socket pair that keeps messages whole: a request is one byte, an answer is one struct
 * settings, or a byte if they stay as they are. The child has a copy of the settings that it handed
 * over last, so that addresses that were good stay good, and it logs for itself.
 */
#include "config_process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "settings_check.h"

enum {
	LOOK_MS = 1000,
	WAIT_S = 2, /* for an answer, which takes far less than a ms */
};

enum request { RELOAD, LOOK };

/* --- the child --- */

struct config_process_child {
	int fd;
	const struct conf *conf;
	struct settings now, next;
};

/* True if there is something new in c->now. */
static bool config_process_child_reload(struct config_process_child *c)
{
	char error[CONF_FILE_ERROR_MAX];

	if (conf_read(c->conf, &c->next, error)) {
		log_reload(REASON_LEVEL_ERR, "configuration", "configuration kept as it was: %s",
			error);
		return false;
	}
	external_carry(&c->next.watch, &c->next.policy, &c->now.watch);
	external_read(&c->next.watch, &c->next.policy);
	c->now = c->next;
	log_reload(REASON_LEVEL_INFO, "configuration", "configuration read");
	return true;
}

static bool config_process_respond(const struct config_process_child *c, bool good)
{
	static const uint8_t nothing;
	const void *p = good ? (const void *)&c->now : &nothing;
	size_t n = good ? sizeof(c->now) : sizeof(nothing);

	return send(c->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool config_process_answer(struct config_process_child *c, uint8_t request)
{
	bool good = true;

	if (request == RELOAD)
		good = config_process_child_reload(c);
	else
		external_read(&c->now.watch, &c->now.policy);
	return config_process_respond(c, good);
}

/* Signals that a terminal sends to both are for the parent, whose end ends this loop. */
static _Noreturn void config_process_serve(struct config_process_child *c)
{
	uint8_t request;
	sigset_t set;
	int err;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = sandbox_config_process();
	if (err) {
		log_at(REASON_LEVEL_ERR, "configuration",
			"cannot sandbox the configuration process: %s", strerror(-err));
		_exit(EXIT_FAILURE);
	}
	config_process_respond(c, false);
	while (recv(c->fd, &request, sizeof(request), 0) == sizeof(request) &&
		config_process_answer(c, request))
		;
	_exit(EXIT_SUCCESS);
}

/* --- the parent --- */

int config_process_start(
	struct config_process *k, const struct conf *conf, const struct settings *settings)
{
	static const struct timeval wait = {.tv_sec = WAIT_S};
	static struct config_process_child child;
	uint8_t sandboxed; /* what the child says first */
	int fd[2];
	pid_t pid;

	*k = (struct config_process){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child.fd = fd[1];
		child.conf = conf;
		child.now = *settings;
		config_process_serve(&child);
	}
	k->fd = fd[0];
	close(fd[1]);
	if (pid < 0 || setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	return recv(k->fd, &sandboxed, sizeof(sandboxed), 0) == sizeof(sandboxed) ? 0 : -ECHILD;
}

static void config_process_leave(struct config_process *k, const char *why)
{
	log_at(REASON_LEVEL_ERR, "configuration",
		"configuration process %s; keeping the current configuration, "
		"restart pasvd to reload",
		why);
	close(k->fd);
	k->fd = -1;
}

/* Waits for the answer: a packet after the request is to find what it says. */
static bool config_process_ask(
	struct config_process *k, enum request request, struct settings *ret_settings)
{
	static struct settings settings;
	uint8_t byte = (uint8_t)request;
	ssize_t n = -1;

	if (k->fd < 0)
		return false;
	if (send(k->fd, &byte, sizeof(byte), MSG_NOSIGNAL) == sizeof(byte))
		n = recv(k->fd, &settings, sizeof(settings), MSG_TRUNC);
	if (n == sizeof(byte))
		return false;
	if (n != (ssize_t)sizeof(settings) || !settings_are_sound(&settings)) {
		config_process_leave(k, n <= 0 ? "died" : "sent what no configuration can say");
		return false;
	}
	*ret_settings = settings;
	return true;
}

bool config_process_reload(struct config_process *k, struct settings *ret_settings)
{
	return config_process_ask(k, RELOAD, ret_settings);
}

bool config_process_look(struct config_process *k, uint64_t now, struct settings *ret_settings)
{
	if (k->looked && now - k->looked < LOOK_MS)
		return false;
	k->looked = now;
	return config_process_ask(k, LOOK, ret_settings);
}
