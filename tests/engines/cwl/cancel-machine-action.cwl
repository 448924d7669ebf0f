cwlVersion: v1.2
class: CommandLineTool
doc: Cancels one machine action.
requirements:
  InlineJavascriptRequirement: {}
  NetworkAccess:
    networkAccess: true
  # To cancel is to act: a runner that answers from its cache would report a cancel that was never sent.
  WorkReuse:
    enableReuse: false
baseCommand: cancel-machine-action
inputs:
  request: stdin
stdout: answer.json
outputs:
  # Whole: a key that is not always there, such as `outcome`, could not be an output that a workflow takes up.
  answer:
    type: Any
    outputBinding:
      glob: answer.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))
# With 1 and 6, too, there is an answer: the workflow branches on it.
successCodes: [0, 1, 6]
temporaryFailCodes: [5]
permanentFailCodes: [2, 3, 4, 7]
