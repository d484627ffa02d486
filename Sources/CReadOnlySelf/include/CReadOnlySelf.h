#ifndef CREADONLYSELF_H
#define CREADONLYSELF_H
// Nothing to call: being linked is all. See early.c.
#endif
