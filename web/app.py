"""Puts every door of Sigap into one application, and starts and stops the city behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

import anyio.to_thread
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dispatch import system as city_system
from dispatch.system import System
from web import errors, open311, pages, screens, stream, trackers
from web.api import (
    after_actions,
    assignments,
    cities,
    closures,
    coverage,
    crews,
    devices,
    evaluation,
    geocode,
    health,
    histories,
    incidents,
    photos,
    place_names,
    positions,
    public,
    reach,
    referrals,
    reports,
    rounds,
    session,
    tiles,
)
from web.description import described
from web.front import Front
from web.limits import BodyLimit, Buckets
from web.pages.rendering import refused
from web.settings import Settings
from web.trackers.express import Express
from web.trackers.intake import Intake

# Fixed paths stand before those that begin with a city.
ROUTERS = (
    health.router,
    tiles.router,
    open311.router,
    stream.router,
    trackers.router,
    session.router,
    cities.router,
    reports.router,
    incidents.router,
    closures.router,
    assignments.router,
    crews.router,
    devices.router,
    positions.router,
    histories.router,
    referrals.router,
    rounds.router,
    evaluation.router,
    after_actions.router,
    coverage.router,
    reach.router,
    geocode.router,
    geocode.assets_router,
    place_names.router,
    photos.router,
    public.router,
    screens.router,
    pages.router,
)


def create_app(settings: Settings | None = None, *, system: System | None = None) -> FastAPI:
    """The application. Without a `system` its lifespan builds, starts and stops one."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = system if system is not None else await _build_aside(settings)
        app.state.system = running
        await anyio.to_thread.run_sync(running.start)
        sockets: stream.Sockets = app.state.sockets
        telling = asyncio.create_task(running.serve())
        running.bus.hear(stream.ENDED, sockets.end)
        asides = [
            asyncio.create_task(sockets.recheck_often(running)),
            asyncio.create_task(app.state.buckets.share(running.bus)),
        ]
        try:
            yield
        finally:
            running.hub.close_all("shutdown")
            telling.cancel()
            for aside in asides:
                aside.cancel()
            await asyncio.gather(telling, *asides, return_exceptions=True)
            # a cancelled read of the log still runs in its thread, with a connection of its own
            await asyncio.get_running_loop().shutdown_default_executor()
            await anyio.to_thread.run_sync(running.stop)

    app = FastAPI(
        title="Sigap",
        summary="A citizen's report brings the right crew on scene within 20 minutes.",
        version=installed_version(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        # Sigap counts for itself (/metrics); asking for tracers costs a tenth of a position
        telemetry={"tracing": False, "metrics": False, "logs": False},
        responses={"4XX": errors.DOCUMENTED},
        generate_unique_id_function=lambda route: route.name,
    )
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    app.state.settings = settings
    app.state.buckets = Buckets(factor=settings.rate_factor)
    app.state.books = evaluation.Books()
    app.state.sockets = stream.Sockets()
    app.state.intake = Intake()
    app.state.express = Express(app.state)
    errors.install(app, page=refused)
    app.router.routes.extend(trackers.first)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", screens.assets(), name="static")
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(Front)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    return app


async def _build_aside(settings: Settings) -> System:
    """Build in a thread: opening a city takes seconds, and the loop must stay free."""
    return await anyio.to_thread.run_sync(build_system, settings)


def build_system(settings: Settings) -> System:
    """The system these settings ask for, not started yet."""
    return city_system.build(
        city_system.Settings(
            database_url=settings.database,
            data_dir=settings.data_dir,
            policy_path=settings.policy,
            cities=settings.cities or None,
            bus_url=settings.bus,
            roads=city_system.RoadChoice(
                osrm_url=settings.osrm_url,
                reload=settings.osrm_reload,
                stands_in=settings.roads_stand_in,
            ),
            geocoder=settings.geocoder,
        )
    )


def installed_version() -> str:
    try:
        return version("sigap")
    except PackageNotFoundError:
        return "0"
