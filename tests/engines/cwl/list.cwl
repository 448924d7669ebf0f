cwlVersion: v1.2
class: CommandLineTool
doc: Lists the pending machine actions, and writes a request for each.
requirements:
  InlineJavascriptRequirement: {}
  NetworkAccess:
    networkAccess: true
  # What is pending changes: an earlier run's list must not be used again.
  WorkReuse:
    enableReuse: false
baseCommand:
  - sh
  - -c
  # A list that is not whole ends with another status than 0.
  - 'cancel-machine-action list --requests "$0" > requests && split -l 1 -a 4 --additional-suffix=.json requests request-'
inputs:
  comment:
    type: string
    inputBinding: {}
outputs:
  requests:
    type: File[]
    outputBinding:
      glob: request-*.json
  ids:
    type: string[]
    outputBinding:
      glob: request-*.json
      loadContents: true
      outputEval: '$(self.map(function (file) { return JSON.parse(file.contents).path_parameters.machineactionid; }))'
