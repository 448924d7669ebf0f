cwlVersion: v1.2
class: CommandLineTool
doc: Pauses for so many seconds.
requirements:
  # Time has to pass anew each time.
  WorkReuse:
    enableReuse: false
baseCommand: sleep
inputs:
  seconds:
    type: int
    inputBinding: {}
outputs:
  # A step that takes this one's output starts after it.
  paused:
    type: int
    outputBinding:
      outputEval: $(inputs.seconds)
