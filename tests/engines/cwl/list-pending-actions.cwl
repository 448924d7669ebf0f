cwlVersion: v1.2
class: CommandLineTool
doc: Lists the pending machine actions.
requirements:
  NetworkAccess:
    networkAccess: true
  # What is pending changes: an earlier run's list must not be used again.
  WorkReuse:
    enableReuse: false
baseCommand: list-pending-actions
inputs: {}
# A file of this name is the output object itself.
stdout: cwl.output.json
outputs:
  json_body: Any
