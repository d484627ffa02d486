#ifndef CREADONLYSELF_H
#define CREADONLYSELF_H
// Being linked does most of it: see entry.c and startup.c.

/// Gives the program the environment that it was started with; Swift's runtime, which is set up before `main`, has seen another.
void restore_environment(void);
#endif
