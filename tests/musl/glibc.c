/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc.c - functions that Debian's libraries call and musl does not have
 *
 * musl takes the place of glibc for libraries that were built with glibc: it answers to the name
 * libc.so.6, and the layout of its types is the same. What it lacks are the variants of functions
 * that check the length of a buffer. These are here, without the check.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

int __vfprintf_chk(FILE *stream, int flag, const char *format, va_list args)
{
	(void)flag;
	return vfprintf(stream, format, args);
}

int __vsnprintf_chk(char *to, size_t max, int flag, size_t room, const char *format, va_list args)
{
	(void)flag, (void)room;
	return vsnprintf(to, max, format, args);
}

/* For a function with "..." the one above it with a va_list. */
#define CALL_WITH_ARGUMENTS(ret_n, format, call)                                                   \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		(ret_n) = (call);                                                                  \
		va_end(args);                                                                      \
	} while (0)

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
	int n;

	CALL_WITH_ARGUMENTS(n, format, __vfprintf_chk(stream, flag, format, args));
	return n;
}

int __printf_chk(int flag, const char *format, ...)
{
	int n;

	CALL_WITH_ARGUMENTS(n, format, __vfprintf_chk(stdout, flag, format, args));
	return n;
}

int __snprintf_chk(char *to, size_t max, int flag, size_t room, const char *format, ...)
{
	int n;

	CALL_WITH_ARGUMENTS(n, format, __vsnprintf_chk(to, max, flag, room, format, args));
	return n;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
	int n;

	(void)flag, (void)room;
	CALL_WITH_ARGUMENTS(n, format, vsprintf(to, format, args));
	return n;
}

int __asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
	int n;

	(void)flag;
	CALL_WITH_ARGUMENTS(n, format, vasprintf(ret_text, format, args));
	return n;
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	(void)room;
	return memcpy(to, from, n);
}

char *__strncpy_chk(char *to, const char *from, size_t n, size_t room)
{
	(void)room;
	return strncpy(to, from, n);
}

size_t __fread_chk(void *to, size_t room, size_t size, size_t n, FILE *stream)
{
	(void)room;
	return fread(to, size, n, stream);
}

void __longjmp_chk(jmp_buf to, int value)
{
	longjmp(to, value);
}

int __register_atfork(
	void (*before)(void), void (*parent)(void), void (*child)(void), void *library)
{
	(void)library;
	return pthread_atfork(before, parent, child);
}

/* For pthread_cleanup_push(): no test cancels a thread. */
void __pthread_register_cancel(void *buffer)
{
	(void)buffer;
}

void __pthread_unregister_cancel(void *buffer)
{
	(void)buffer;
}

/* No test comes here. */
#define NEVER(name)                                                                                \
	void name(void)                                                                            \
	{                                                                                          \
		abort();                                                                           \
	}

NEVER(__pthread_unwind_next)
NEVER(__syslog_chk)
NEVER(getnetbyname_r)
NEVER(getprotobyname_r)
NEVER(dbus_bus_add_match)
NEVER(dbus_bus_get)
NEVER(dbus_bus_register)
NEVER(dbus_connection_flush)
NEVER(dbus_connection_open)
NEVER(dbus_connection_pop_message)
NEVER(dbus_connection_read_write)
NEVER(dbus_connection_send)
NEVER(dbus_connection_set_max_received_size)
NEVER(dbus_connection_unref)
NEVER(dbus_error_free)
NEVER(dbus_error_is_set)
NEVER(dbus_free)
NEVER(dbus_message_demarshal)
NEVER(dbus_message_is_signal)
NEVER(dbus_message_marshal)
NEVER(dbus_message_unref)
