cwlVersion: v1.2
class: CommandLineTool
doc: Cancels one machine action, for a workflow that branches on the answer.
requirements:
  InlineJavascriptRequirement: {}
  NetworkAccess:
    networkAccess: true
  # To cancel is to act: a runner that answers from its cache would report a cancel that was never sent.
  WorkReuse:
    enableReuse: false
  # Longer than the step's own limits together: the engine's would end the tool without an answer.
  ToolTimeLimit:
    timelimit: $(inputs.timeout + inputs.wait + 30)
baseCommand: cancel-machine-action
arguments: [--timeout, $(inputs.timeout), --wait, $(inputs.wait)]
inputs:
  request: stdin
  timeout: int
  wait: int
stdout: answer.json
outputs:
  # Whole: a key that is not always there, such as `outcome`, could not be an output that a workflow takes up.
  answer:
    type: Any
    outputBinding:
      glob: answer.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))
# Each of these has written an answer or a failure, which says more than the status does.
successCodes: [0, 1, 2, 3, 4, 5, 6, 8]
permanentFailCodes: [7]
