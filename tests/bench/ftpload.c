/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ftpload.c - one FTP session that downloads the same file again and again
 *
 * In:  ftpload HOST PORT USER PASSWORD FILE SECONDS COUNT
 *      It logs in, prints "ready", waits for a line on stdin, and then does
 *      PASV + RETR for SECONDS or COUNT times, whichever comes first.
 * Out: one line: transfers, nanoseconds, bytes, median nanoseconds from PASV
 *      to its reply. Any error ends it with status 1.
 *
 * It believes the address of the 227. It is as light as can be, so that the
 * load generator does not drown what is measured. Replies have to end with
 * their segment's last line; that holds for vsftpd.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define MAX_COUNT   1000000L
#define MAX_SECONDS 600L
#define TIMEOUT_S   10

struct control {
	int fd;
	size_t used; /* bytes in buf that no line has taken yet */
	char buf[4096];
};

static int dial(struct in_addr host, uint16_t port)
{
	const struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
		fail("connect");
	return fd;
}

/* The next line, without its end, into ret_line. */
static void read_line(struct control *c, char *ret_line, size_t size)
{
	char *end;

	while (!(end = memchr(c->buf, '\n', c->used))) {
		ssize_t n = read(c->fd, c->buf + c->used, sizeof(c->buf) - c->used);

		if (n <= 0)
			fail("control connection");
		c->used += (size_t)n;
	}
	snprintf(ret_line, size, "%.*s", (int)(end - c->buf), c->buf);
	c->used -= (size_t)(end + 1 - c->buf);
	memmove(c->buf, end + 1, c->used);
}

static void expect(struct control *c, const char *code, char *ret_line, size_t size)
{
	do
		read_line(c, ret_line, size);
	while (strlen(ret_line) > 3 && ret_line[3] == '-');
	if (strncmp(ret_line, code, strlen(code)) != 0) {
		fprintf(stderr, "ftpload: wanted %s, got: %s\n", code, ret_line);
		exit(EXIT_FAILURE);
	}
}

static void say(struct control *c, const char *verb, const char *argument)
{
	char line[512];
	int n = snprintf(line, sizeof(line), *argument ? "%s %s\r\n" : "%s%s\r\n", verb, argument);

	if (write(c->fd, line, (size_t)n) != n)
		fail("control connection");
}

static int open_data(const char *reply)
{
	unsigned int h[4], p[2];
	const char *numbers = strchr(reply, '(');

	if (!numbers || sscanf(numbers, "(%u,%u,%u,%u,%u,%u", &h[0], &h[1], &h[2], &h[3], &p[0],
				&p[1]) != 6)
		fail(reply);
	return dial((struct in_addr){htonl(h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3])},
		(uint16_t)(p[0] << 8 | p[1]));
}

static int64_t drain(int fd)
{
	static char buf[65536];
	int64_t total = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += n;
	if (n < 0)
		fail("data connection");
	close(fd);
	return total;
}

/* One transfer; returns its bytes, and how long PASV took. */
static int64_t transfer(struct control *c, const char *file, int64_t *ret_pasv_ns)
{
	char reply[512];
	int64_t start = now_ns(), bytes;
	int data;

	say(c, "PASV", "");
	expect(c, "227", reply, sizeof(reply));
	*ret_pasv_ns = now_ns() - start;
	data = open_data(reply);
	say(c, "RETR", file);
	bytes = drain(data);
	expect(c, "1", reply, sizeof(reply));
	expect(c, "226", reply, sizeof(reply));
	return bytes;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void log_in(struct control *c, const char *user, const char *password)
{
	char reply[512];

	expect(c, "220", reply, sizeof(reply));
	say(c, "USER", user);
	expect(c, "331", reply, sizeof(reply));
	say(c, "PASS", password);
	expect(c, "230", reply, sizeof(reply));
	say(c, "TYPE", "I");
	expect(c, "200", reply, sizeof(reply));
}

static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1 || n > max) {
		fprintf(stderr, "ftpload: not a number from 1 to %ld: %s\n", max, text);
		exit(EXIT_FAILURE);
	}
	return n;
}

int main(int argc, char **argv)
{
	static int64_t pasv_ns[MAX_COUNT];
	struct control c = {.used = 0};
	struct in_addr host;
	int64_t start, end, bytes = 0;
	long count, n = 0;

	if (argc != 8 || inet_pton(AF_INET, argv[1], &host) != 1) {
		fprintf(stderr, "usage: ftpload HOST PORT USER PASSWORD FILE SECONDS COUNT\n");
		return EXIT_FAILURE;
	}
	count = number(argv[7], MAX_COUNT);
	c.fd = dial(host, (uint16_t)number(argv[2], UINT16_MAX));
	log_in(&c, argv[3], argv[4]);
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return EXIT_FAILURE;

	start = now_ns();
	end = start + number(argv[6], MAX_SECONDS) * NS_PER_S;
	while (n < count && now_ns() < end)
		bytes += transfer(&c, argv[5], &pasv_ns[n++]);
	end = now_ns();
	qsort(pasv_ns, (size_t)n, sizeof(*pasv_ns), compare);
	printf("%ld %lld %lld %lld\n", n, (long long)(end - start), (long long)bytes,
		(long long)pasv_ns[n / 2]);
	close(c.fd);
	return EXIT_SUCCESS;
}
