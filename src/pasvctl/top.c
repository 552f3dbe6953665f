/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top.c - sessions in a terminal, again and again
 *
 * Each second both answers are asked for anew, and the screen is written over from its first place
 * on: each line with what clears the rest of it, in one go, so nothing flickers. Nothing but cursor
 * movements of ECMA-48 is used.
 */
#include "top.h"
#include "pasvd/array.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "ask.h"
#include "show.h"

enum { PERIOD_MS = 1000, ROWS = 24, COLUMNS = 80, LINES_ABOVE = 3, LINES_BELOW = 1 };

static const struct order {
	const char *name, *member;
	bool falling;
} orders[] = {{"idle", "idle_s", false}, {"client", "client", false}, {"server", "server", false},
	{"state", "state", false}, {"idle", "idle_s", true}};

enum { ORDERS = ARRAY_SIZE(orders) };

struct top {
	const char *path;
	const struct order *order;
	json_int_t opened; /* until the last look; -1: there was none */
	json_int_t rate;   /* opened since the one before */
	char error[ASK_ERROR_MAX];
	json_t *status, *sessions; /* NULL: not known, error says why */
};

static volatile sig_atomic_t stopping;

static void top_on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

struct row {
	json_t *session;
};

/* For qsort(), which has no room for more. */
static const struct order *order_now;

static int top_compare(const void *a, const void *b)
{
	const struct row *first = a, *second = b;
	const json_t *x = json_object_get(first->session, order_now->member);
	const json_t *y = json_object_get(second->session, order_now->member);
	json_int_t i = json_integer_value(x), j = json_integer_value(y);
	int result = (i > j) - (i < j);

	if (json_is_string(x) && json_is_string(y))
		result = strcmp(json_string_value(x), json_string_value(y));
	return order_now->falling ? -result : result;
}

/* The sessions in order, at most `most` of them; belongs to the caller. */
static json_t *top_sorted(const json_t *sessions, const struct order *order, size_t max)
{
	size_t n = json_array_size(sessions);
	struct row *list = calloc(n + 1, sizeof(*list));
	json_t *result = json_array();

	for (size_t i = 0; list && i < n; i++)
		list[i].session = json_array_get(sessions, i);
	order_now = order;
	if (list)
		qsort(list, n, sizeof(*list), top_compare);
	for (size_t i = 0; list && i < n && i < max; i++)
		json_array_append(result, list[i].session);
	free(list);
	return result;
}

static void top_update(struct top *t)
{
	struct ask ask;
	json_int_t opened;

	json_decref(t->status);
	json_decref(t->sessions);
	t->sessions = NULL;
	t->status = ask_all(&ask, t->path, "status");
	if (t->status)
		t->sessions = ask_all(&ask, t->path, "sessions");
	memcpy(t->error, ask.error, sizeof(t->error));
	opened = show_number(json_object_get(json_array_get(t->status, 0), "counters"), "opened");
	t->rate = t->opened < 0 || opened < t->opened ? 0 : opened - t->opened;
	t->opened = t->sessions ? opened : -1;
}

static size_t top_write_head(FILE *out, const struct top *t)
{
	const json_t *s = json_array_get(t->status, 0);
	char up[SHOW_TIME_MAX];

	if (!t->sessions) {
		fprintf(out, "pasvctl: %s\n", t->error);
		return 0;
	}
	fprintf(out,
		"pasvd %s, up %s, %zu sessions, %" JSON_INTEGER_FORMAT
		" ports opened, %" JSON_INTEGER_FORMAT " in the last second\n",
		show_string(s, "version"), show_time(show_number(s, "uptime_s"), up),
		json_array_size(t->sessions), t->opened, t->rate);
	fprintf(out, "by %s%s; s: another order, q: quit\n\n", t->order->name,
		t->order->falling ? ", greatest first" : "");
	return json_array_size(t->sessions);
}

/* The whole screen as text; free() it. */
static char *top_compose(const struct top *t, size_t rows, size_t columns, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	size_t room = rows > LINES_ABOVE + LINES_BELOW + 2 ? rows - LINES_ABOVE - LINES_BELOW - 2
							   : 1,
	       n;
	json_t *some;

	if (!out)
		return NULL;
	n = top_write_head(out, t);
	some = top_sorted(t->sessions, t->order, room);
	if (t->sessions)
		show_sessions(out, some, columns);
	if (n > room)
		fprintf(out, "and %zu more\n", n - room);
	json_decref(some);
	fclose(out);
	return text;
}

/* Lines that are too long are cut, those that are too many left out. */
static void top_draw(const struct top *t)
{
	struct winsize size = {0};
	size_t rows = ROWS, columns = COLUMNS, len = 0;
	char *text, *line, *rest;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		rows = size.ws_row;
		columns = size.ws_col;
	}
	text = top_compose(t, rows, columns, &len);
	rest = text;
	fputs("\033[H", stdout);
	for (size_t i = 0; i < rows && (line = strsep(&rest, "\n")) && rest; i++)
		printf("%s%.*s\033[K", i ? "\r\n" : "", (int)columns, line);
	fputs("\033[J", stdout);
	fflush(stdout);
	free(text);
}

enum key { KEY_NONE, KEY_ORDER, KEY_QUIT };

/* What is typed until it is time to look again. */
static enum key top_wait_for_key(void)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	char typed = 0;

	if (poll(&fd, 1, PERIOD_MS) <= 0)
		return stopping ? KEY_QUIT : KEY_NONE;
	if (read(STDIN_FILENO, &typed, 1) != 1 || typed == 'q')
		return KEY_QUIT;
	return typed == 's' ? KEY_ORDER : KEY_NONE;
}

static void top_loop(struct top *t)
{
	enum key key;

	top_draw(t);
	while ((key = top_wait_for_key()) != KEY_QUIT) {
		if (key == KEY_ORDER)
			t->order = &orders[(t->order - orders + 1) % ORDERS];
		else
			top_update(t);
		top_draw(t);
	}
}

static void top_catch_signals(void)
{
	struct sigaction action = {.sa_handler = top_on_stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void top_show(struct top *t, const struct termios *before)
{
	struct termios raw = *before;

	top_catch_signals();
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?25l\033[2J", stdout);
	top_loop(t);
	fputs("\033[?25h\r\n", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, before);
}

bool top_run(const char *path, char *error)
{
	struct top t = {.path = path, .order = &orders[0], .opened = -1};
	struct termios before;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0) {
		snprintf(error, ASK_ERROR_MAX, "top needs a terminal; there is: pasvctl sessions");
		return false;
	}
	top_update(&t);
	memcpy(error, t.error, sizeof(t.error));
	if (t.sessions)
		top_show(&t, &before);
	json_decref(t.status);
	json_decref(t.sessions);
	return !error[0];
}
