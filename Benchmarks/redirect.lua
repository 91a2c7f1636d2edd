-- Random links, as a browser asks for them the first time. LINKS: how many there are.
local links = tonumber(os.getenv("LINKS"))
local headers = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml",
  ["Sec-Fetch-Dest"] = "document", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-Site"] = "cross-site",
}

local threads = 0
function setup(thread)
  thread:set("seed", 1997 + threads)
  threads = threads + 1
end

function init(arguments) math.randomseed(seed) end

function request()
  return wrk.format("GET", string.format("/r/b%07d", math.random(1, links)), headers)
end
