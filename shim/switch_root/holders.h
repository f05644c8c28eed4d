#ifndef HOLDERS_H
#define HOLDERS_H

#include <sys/types.h>

/* Names the processes that use files of a root which has been left, so that its image stays in memory. */
void report_holders(dev_t device);

#endif
