/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function: a formatted text next to a negative errno (errtext.h). */
#include <stdarg.h>
#include <stdio.h>

#include "settings/errtext.h"

int tierd_error(char **ret_error, int error, const char *format, ...)
{
	va_list ap;

	if (!ret_error)
		return error;
	va_start(ap, format);
	if (vasprintf(ret_error, format, ap) < 0)
		*ret_error = NULL;
	va_end(ap);
	return error;
}
