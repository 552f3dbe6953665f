/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - the settings: the configuration, and options over it */
#include "conf.h"

#include <string.h>

static struct text conf_text_of(const char *value)
{
	return (struct text){value, strlen(value)};
}

const char *conf_take_queue(void *data, const char *value)
{
	struct conf *conf = data;

	if (conf_value_number(conf_text_of(value), 0, UINT16_MAX, &conf->queue))
		return "must be a queue number from 0 to 65535";
	conf->queue_given = true;
	return NULL;
}

const char *conf_take_socket(void *data, const char *value)
{
	struct conf *conf = data;
	struct settings s;

	if (settings_set_socket(&s, conf_text_of(value)))
		return settings_socket_allowed;
	conf->socket = value;
	return NULL;
}

int conf_read(const struct conf *conf, struct settings *ret_settings, char *error)
{
	struct settings s = settings_default();
	int err = conf_file_read(conf->file ? conf->file : CONF_FILE, conf->file, &s, error);

	if (err)
		return err;
	if (conf->queue_given)
		s.queue = conf->queue;
	if (conf->socket)
		settings_set_socket(&s, conf_text_of(conf->socket));
	*ret_settings = s;
	return 0;
}
