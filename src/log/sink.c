/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink.c - where the lines of the log go
 *
 * Each line is put together in memory and written by one call, so that lines of several processes
 * do not mix. Verdicts must not wait for whoever reads the log, so stderr is asked first whether it
 * takes anything. It is not made non-blocking: that would be so for everybody who shares it, such
 * as the shell in whose terminal it is. The socket to syslog is not connected: so a syslog daemon
 * that is started again is found without another socket, which we could not open any more.
 */
#include "sink.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define COLOUR_END "\033[0m"

enum {
	FACILITY = 3, /* daemon, RFC 3164 */
	JOURNAL_FIELDS_MAX = 128,
};

/* RFC 5424 severities, as sd-daemon(3) wants them. */
static const struct {
	int severity;
	const char *colour;
} levels[] = {
	[REASON_LEVEL_ERR] = {3, "\033[31m"},
	[REASON_LEVEL_WARNING] = {4, "\033[33m"},
	[REASON_LEVEL_INFO] = {6, "\033[32m"},
	[REASON_LEVEL_DEBUG] = {7, "\033[2m"},
};

enum form { PLAIN, JOURNAL, TERMINAL, SYSLOG };

static struct sink {
	enum form form; /* of stderr */
	bool colours;
	bool torn;     /* stderr took a part of the last line only */
	int syslog;    /* a socket, or -1 */
	int journal;   /* a socket, or -1 */
	uint64_t lost; /* lines since the last one that was taken */
} sink = {.syslog = -1, .journal = -1};

static const struct sockaddr_un syslog_address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
static const struct sockaddr_un journal_address = {
	.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};

/* A socket that got one of these numbers would be written to. */
static void sink_fill_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* JOURNAL_STREAM is inherited: stderr may have become something else. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, text) == 0;
}

/* https://no-color.org */
static bool wants_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0;
}

void sink_open(bool syslog)
{
	sink_fill_descriptors();
	signal(SIGPIPE, SIG_IGN);
	tzset();
	if (syslog)
		sink.syslog = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (is_journal()) {
		sink.form = JOURNAL;
		sink.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	} else if (isatty(STDERR_FILENO)) {
		sink.form = TERMINAL;
	}
	sink.colours = wants_colours();
}

static const char *sink_time_text(const char *format, char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) && strftime(buf, size, format, &tm) ? buf : "?";
}

/* What stands before a line's text; returns its length, which is well below SINK_LINE_MAX. */
static int sink_put_head(enum form form, enum reason_level level, char *line)
{
	char when[32];

	switch (form) {
	case JOURNAL:
		return snprintf(line, SINK_LINE_MAX, "<%d>", levels[level].severity);
	case TERMINAL:
		return snprintf(line, SINK_LINE_MAX, "%s %s%-7s%s ",
			sink_time_text("%T", when, sizeof(when)),
			sink.colours ? levels[level].colour : "", reason_level_name(level),
			sink.colours ? COLOUR_END : "");
	case SYSLOG:
		return snprintf(line, SINK_LINE_MAX,
			"<%d>%s pasvd[%d]: ", FACILITY << 3 | levels[level].severity,
			sink_time_text("%b %e %T", when, sizeof(when)), (int)getpid());
	case PLAIN:
		break;
	}
	return snprintf(line, SINK_LINE_MAX, "pasvd: ");
}

static size_t sink_put_line(
	enum form form, enum reason_level level, const char *text, size_t n, char *line)
{
	size_t len = (size_t)sink_put_head(form, level, line), room = SINK_LINE_MAX - len - 1;

	if (n > room)
		n = room;
	memcpy(line + len, text, n);
	return len + n;
}

/* The rest of a line that did not fit onto a full disk never comes: then the next line begins with
 * an end. */
static bool sink_to_stderr(enum reason_level level, const char *text, size_t n)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[1 + SINK_LINE_MAX] = "\n", *begin = line + !sink.torn;
	size_t len = 1 + sink_put_line(sink.form, level, text, n, line + 1);
	ssize_t written;

	line[len++] = '\n';
	len -= (size_t)(begin - line);
	if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
		return false;
	written = write(STDERR_FILENO, begin, len);
	if (written > 0)
		sink.torn = (size_t)written < len;
	return written == (ssize_t)len;
}

/* A value of logfmt at `p`, and where it ends. The quotes are left out, escapes are undone. */
static const char *sink_copy_value(const char *p, const char *end, char **out)
{
	bool quoted = p < end && *p == '"';

	for (p += quoted; p < end && *p != (quoted ? '"' : ' '); p++) {
		if (quoted && *p == '\\' && p + 1 < end && p[1] != 'x')
			p++;
		*(*out)++ = *p;
	}
	return p + (quoted && p < end);
}

/* Names of the journal's fields are of capitals, digits and underscores. */
static int sink_field_letter(char c)
{
	return c == '-' ? '_' : toupper((unsigned char)c);
}

/* The fields of a line as the journal's, PASVD_KEY=value; a line that is no logfmt has none. Each
 * has a space in the line, and gets sizeof("PASVD_") more in the datagram. */
static char *sink_put_fields(const char *p, const char *end, char *out)
{
	static const char prefix[] = "PASVD_";

	if (end - p < 6 || memcmp(p, "event=", 6) != 0)
		return out;
	for (int fields = 0; p < end && fields < JOURNAL_FIELDS_MAX; fields++) {
		memcpy(out, prefix, sizeof(prefix) - 1);
		out += sizeof(prefix) - 1;
		while (p < end && *p != '=')
			*out++ = (char)sink_field_letter(*p++);
		*out++ = '=';
		p = sink_copy_value(p + (p < end), end, &out);
		*out++ = '\n';
		while (p < end && *p == ' ')
			p++;
	}
	return out;
}

/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL */
static bool sink_to_journal(enum reason_level level, const char *text, size_t n)
{
	const struct sockaddr *to = (const struct sockaddr *)&journal_address;
	char data[2 * SINK_LINE_MAX + JOURNAL_FIELDS_MAX * 8 + 128], *end = data;

	if (n > SINK_LINE_MAX)
		n = SINK_LINE_MAX;
	end += sprintf(
		end, "PRIORITY=%d\nSYSLOG_IDENTIFIER=pasvd\nMESSAGE=", levels[level].severity);
	memcpy(end, text, n);
	end += n;
	*end++ = '\n';
	end = sink_put_fields(text, text + n, end);
	return sendto(sink.journal, data, (size_t)(end - data), MSG_DONTWAIT | MSG_NOSIGNAL, to,
		       sizeof(journal_address)) >= 0;
}

/* False: syslog has no room for it now. Without a syslog daemon it goes to stderr. */
static bool sink_put(enum reason_level level, const char *text, size_t n)
{
	const struct sockaddr *to = (const struct sockaddr *)&syslog_address;
	char line[SINK_LINE_MAX];
	size_t len;

	if (sink.syslog < 0 && sink.journal >= 0) {
		if (sink_to_journal(level, text, n))
			return true;
		if (errno == EAGAIN)
			return false;
	}
	if (sink.syslog < 0)
		return sink_to_stderr(level, text, n);
	len = sink_put_line(SYSLOG, level, text, n, line);
	if (sendto(sink.syslog, line, len, MSG_DONTWAIT | MSG_NOSIGNAL, to,
		    sizeof(syslog_address)) >= 0)
		return true;
	return errno != EAGAIN && sink_to_stderr(level, text, n);
}

static bool sink_log_lost(void)
{
	char text[96];
	int n = snprintf(text, sizeof(text),
		"event=left-out lines=%" PRIu64 " msg=\"the log did not take them\"", sink.lost);

	return sink_put(REASON_LEVEL_WARNING, text, (size_t)n);
}

void sink_write(enum reason_level level, const char *text, size_t n)
{
	if (sink.lost && sink_log_lost())
		sink.lost = 0;
	if (sink.lost || !sink_put(level, text, n))
		sink.lost++;
}
