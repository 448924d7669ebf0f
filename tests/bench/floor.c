/* The floor: a program that is started, does nothing, and ends. Linked statically, so that nothing is loaded. */
int main(void) { return 2; }
