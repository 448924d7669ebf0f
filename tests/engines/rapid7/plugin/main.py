import insightconnect_plugin_runtime
from action import CancelMachineAction
from connection import Connection
from schema import SPEC

if __name__ == "__main__":
    plugin = insightconnect_plugin_runtime.Plugin(
        name=SPEC["name"], vendor=SPEC["vendor"], version=SPEC["version"], description=SPEC["description"],
        connection=Connection())
    plugin.add_action(CancelMachineAction())
    insightconnect_plugin_runtime.CLI(plugin).run()
