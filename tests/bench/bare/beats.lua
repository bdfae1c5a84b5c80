-- What wrk sends: beats of ten agents in turn. What it says at the end: one line of JSON.

local requests = {}
local turn = 0

function init()
   local headers = { ["Content-Type"] = "application/json" }
   for number = 1, 10 do
      local path = string.format("/heartbeat/agent_%03d", number)
      requests[number] = wrk.format("POST", path, headers, '{"metadata": {"status": "active"}}')
   end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function done(summary)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout
   print(string.format('{"requests": %d, "seconds": %f, "refused": %d, "failed": %d}',
      summary.requests, summary.duration / 1e6, errors.status, failed))
end
