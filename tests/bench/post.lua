-- What the load generator sends: the same call as the step's.
wrk.method = "POST"
wrk.body = '{"Comment":"Machine action was canceled by automation"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer a.b.c"
