cwlVersion: v1.2
class: CommandLineTool
doc: Fails, and says why.
requirements:
  InlineJavascriptRequirement: {}
baseCommand: [sh, -c, 'printf "%s\n" "$0" >&2; exit 1']
inputs:
  reason:
    type: string
    inputBinding: {}
outputs: {}
