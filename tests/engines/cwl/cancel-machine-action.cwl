cwlVersion: v1.2
class: CommandLineTool
doc: Cancels one machine action.
requirements:
  NetworkAccess:
    networkAccess: true
  # To cancel is to act: a runner that answers from its cache would report a cancel that was never sent.
  WorkReuse:
    enableReuse: false
baseCommand: cancel-machine-action
inputs:
  request: stdin
# A file of this name is the output object itself: each key of the step's JSON is an output.
stdout: cwl.output.json
outputs:
  status_code: int?
  reason: string?
  response_headers: Any?
  json_body: Any?
  error: Any?
# With 1 and 6, too, there is an answer: the workflow branches on it.
successCodes: [0, 1, 6]
temporaryFailCodes: [5]
permanentFailCodes: [2, 3, 4, 7]
