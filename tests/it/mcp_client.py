"""Asks `keytrail mcp` with the Python SDK of the Model Context Protocol: program, trail, key."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

PROGRAM, TRAIL, KEY = sys.argv[1:]
GIVEN = {
    "key": {"access_key_id": KEY},
    "trace": {"start": KEY},
    "policy": {"access_key_id": KEY},
    "run": {"name": "key-timeline", "parameters": {"access_key_id": KEY}},
    "sql": {"sql": "SELECT event_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC"},
}


def given(result, *names):
    """A field by either way of writing its name: SDKs differ between versions."""
    for name in names:
        if hasattr(result, name):
            return getattr(result, name)
    raise AssertionError(f"no {names} in {result}")


async def main():
    server = StdioServerParameters(command=PROGRAM, args=["mcp", "--trail", TRAIL])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        assert len(tools) >= 10, tools
        for tool in tools:
            result = await session.call_tool(tool.name, GIVEN.get(tool.name, {}))
            assert not given(result, "is_error", "isError"), (tool.name, result)
            answer = given(result, "structured_content", "structuredContent")
            assert answer["tables"] and answer["tables"][0]["rows"], (tool.name, answer)
        refused = await session.call_tool("sql", {"sql": "DROP TABLE events"})
        assert given(refused, "is_error", "isError"), refused
        assert (await session.list_resources()).resources
        assert (await session.list_prompts()).prompts
        prompt = await session.get_prompt("triage_leaked_key", {"access_key_id": KEY})
        assert KEY in prompt.messages[0].content.text
    print("all tools answered")


asyncio.run(main())
