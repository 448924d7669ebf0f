# Cancels each requests/*.json; answers/ has the answer for each action that is cancelled, and for no other.
requests := $(wildcard requests/*.json)
all: $(requests:requests/%=answers/%)

# 210 seconds: 60 for the cancel + 120 until the action is final + 30 to spare.
answers/%.json: requests/%.json
	mkdir -p answers
	MDE_EXIT_ZERO= timeout 210 cancel-machine-action --timeout 60 --wait 120 $< > $@

.DELETE_ON_ERROR:
